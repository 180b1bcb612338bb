import { styleText } from 'node:util'
import pino, { type Logger } from 'pino'
import type { Config } from '../kernel/config/config.ts'

/** How a long-running process reports: sentences to a person, or in production lines of its log. */
export interface Voice {
  /** Events; `details` are for the log only. */
  say(text: string, details?: object): void
  /** Something that needs action. */
  warn(text: string): void
}

/** In red where the terminal has colours. */
const person: Voice = {
  say: (text) => void process.stdout.write(`${text}\n`),
  warn: (text) => void process.stdout.write(`${styleText(['red', 'bold'], text, { stream: process.stdout })}\n`),
}

let voice = person

/** The current voice; a person before the configuration is known. */
export const currentVoice = (): Voice => voice

/** Switches to the configured voice: in production the log has lines of JSON. */
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
