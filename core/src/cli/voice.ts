import { styleText } from 'node:util'
import pino, { type Logger } from 'pino'
import type { Config } from '../kernel/config/config.ts'

/** How a process that runs on speaks of itself: sentences to a person, or in production lines of its log. */
export interface Voice {
  /** What begins, ends or happened; `details` are for the log alone. */
  say(text: string, details?: object): void
  /** What somebody ought to do something about. */
  warn(text: string): void
}

/** In red where the terminal has colours. */
const person: Voice = {
  say: (text) => void process.stdout.write(`${text}\n`),
  warn: (text) => void process.stdout.write(`${styleText(['red', 'bold'], text, { stream: process.stdout })}\n`),
}

let voice = person

/** How this process speaks; before its configuration is known, to a person. */
export const currentVoice = (): Voice => voice

/** From now on the way that the configuration asks for: whoever reads the log of production reads lines of JSON. */
export function speakAsConfigured({ env, log: { level } }: Config): Voice {
  voice = env === 'production' ? toLog(pino({ level, base: null })) : person
  return voice
}

function toLog(log: Logger): Voice {
  return {
    say: (text, details = {}) => log.info(details, text),
    warn: (text) => log.warn({}, text),
  }
}
