// Hashes as the libraries themselves wrote them, with their passwords: Werkzeug 3.1.9, Django 5.2.17, bcrypt 5.0.0,
// argon2-cffi 25.1.0 and libxcrypt 4 (through Python 3.11's crypt), most of them at a low cost so that tests are quick.
// For the long password bcrypt 5 was given the first 72 bytes, as its releases before took them by themselves. That of
// `flask-bcrypt` is of the SHA-256 in hexadecimal digits, which BCRYPT_HANDLE_LONG_PASSWORDS makes.

/** Who wrote it, the password, the hash. */
export const foreignHashes: readonly (readonly [origin: string, password: string, hash: string])[] = [
  [
    'werkzeug scrypt',
    'correct horse battery',
    'scrypt:32768:8:1$5VKid2C7V5UYf3E2$5ec742b7094fe5ad042a61e92833c432d5d6e570ec3eab38abef3f3bdb44a85ffef970e5bcb97e0a73652dffc709505c17e020e37850131aa43b75bbe93eab6a',
  ],
  [
    'werkzeug scrypt:1024:8:1',
    'correct horse battery',
    'scrypt:1024:8:1$ZRIwOWeieojhUXYv$c0ef80ae0a6035193dca7fbf57beb8cd3fd9194c234e6c8c17b343c2e9a408ea8cde48b9b12b6728245f970d98d85392b064bd835a76204cd1f88d650a7e777d',
  ],
  [
    'werkzeug pbkdf2',
    'correct horse battery',
    'pbkdf2:sha256:1000000$1rDgXd6pXVpLaTB3$6e6332f33714033bcca70322cde4187530b444c637be3b9f228c7085c7f1cbdc',
  ],
  [
    'werkzeug pbkdf2:sha1:1000',
    'correct horse battery',
    'pbkdf2:sha1:1000$svOPgxq6F10Wfi7R$7ce473111d8fb1ebba0c3128b7942e989e7e4829',
  ],
  [
    'werkzeug pbkdf2:sha256:2000',
    'correct horse battery',
    'pbkdf2:sha256:2000$PJWKb7lMvtZ0iSKb$fc3e924a913c8f64299bc1d98ce03c9bf0d36c9845c8bc8c94f5aa75a6cad9cf',
  ],
  [
    'werkzeug pbkdf2:sha512:1500',
    'correct horse battery',
    'pbkdf2:sha512:1500$kDxZu99lm4FqQaAB$bddf7bf4f14f3b33c14e0a1228c639cfcea54ca22d15369aee00b793975c26c3b4b2cddf8722df2ffac6fb2585f81927f67a1308fcbb6d6492310c21a00aaf88',
  ],
  [
    'werkzeug unicode',
    'Zoë ﬁn café 日本',
    'scrypt:2048:8:2$VagQiOee4GAYaZP7$cc500b48cf4a6edea7335b474c6b41effe6fc23247cb92d3b4ab03af44d59f5c70ce108736e3187fe2962688d9bce6d51d9e962a659e7e50f400dcd7900c23d9',
  ],
  [
    'werkzeug unicode',
    'Zoë ﬁn café 日本',
    'pbkdf2:sha256:1000$YzI0hE5bK6kTHB49$af902149eb39329a8b783e03e5f0d5dd0125a6ae4562a78aa0f531db3ff3f616',
  ],
  [
    'django pbkdf2_sha256',
    'correct horse battery',
    'pbkdf2_sha256$1000000$Sn3lFgXcDIgbP4EC35L8e3$ypuF0HQrhlsCAamVRrKzP4ON9Wd05OfHEuyFY3Mhm3I=',
  ],
  [
    'django scrypt',
    'correct horse battery',
    'scrypt$16384$iuFCa1h1BArJVmWW2Cosav$8$5$D+x/dSB0ES+ZA0ib3uJ60nHg3nA5M8Eed2U1lhWDLGKRhkM3dSi8oTk3q6KQwu81T+LOlfkxSTNCcaTxD1Tzqw==',
  ],
  [
    'django argon2',
    'correct horse battery',
    'argon2$argon2id$v=19$m=102400,t=2,p=8$ZUVvTkR2V0k0cVV5R1VNWjhmZjRYWg$4KPRJjbCZq9i+goOXcwjJXnvXhhiRV2cBOKeOYq1ujU',
  ],
  [
    'django pbkdf2_sha256',
    'correct horse battery',
    'pbkdf2_sha256$1500$Rr68K1cUGpf4Wg24UyXNh8$H2CwrnnwEm+zLhIxXpcSvbgnT1B0Qr1G14ySZvuwwg8=',
  ],
  [
    'django pbkdf2_sha1',
    'correct horse battery',
    'pbkdf2_sha1$1500$7OPp0QB6w4WJKQbx5MSgmm$TbujlNHQfrxbCKpfP85X4Vkl+oA=',
  ],
  [
    'django scrypt',
    'correct horse battery',
    'scrypt$1024$70Bqz3nhuowSx5AmLnYJm1$8$5$U4Zp4thwDv3v313S3y0IJvt77mJwE80WV5wEe+3je0RqTpSJwPEC2KcU2RWlDHqbbFA2vuNpBLiGFtgOH3lN8A==',
  ],
  [
    'django argon2',
    'correct horse battery',
    'argon2$argon2id$v=19$m=512,t=1,p=2$bEMxZEw5eWJEZGVvazNPSldwQk9qZA$d3lMjYBCl1z3OmbK9WieGQNzB/4X/OIv3MGOzbIjSO4',
  ],
  [
    'django bcrypt_sha256',
    'correct horse battery',
    'bcrypt_sha256$$2b$04$EJH/DX4SrwZKwQN1Lf0MK.fuYZBPx3dO.v4EwyeV2iZMjqbh3NRp.',
  ],
  ['django bcrypt', 'correct horse battery', 'bcrypt$$2b$04$DUUADALHXU6q6gLmhzcGEu2pQGG.aUzFAboBR85nXc/p3GsmCkj46'],
  [
    'django unicode pbkdf2_sha256',
    'Zoë ﬁn café 日本',
    'pbkdf2_sha256$1500$wr5euFl0TWADTAXr3IIQiS$eoaMcxejjz9GIKx/47TIlaGkGTewi6eRQxnvFr1EYdg=',
  ],
  [
    'django unicode scrypt',
    'Zoë ﬁn café 日本',
    'scrypt$1024$3z22JvTNfeHJ1U1dKG9aTo$8$5$MXnifV+R5T3aoUR2qPVYT/Q6v/0pz/J2MM5NPnG0+FI+wzORhjfXAZAJ582nGsRallCB9a3scbF/0gYxBZDE4A==',
  ],
  [
    'django unicode argon2',
    'Zoë ﬁn café 日本',
    'argon2$argon2id$v=19$m=512,t=1,p=2$cHp0eFl2aThXY3Nrc1htMlNqZVlWNQ$EqqfUDsYJEZ7ZjplUiZWpBYe75IsvQSVIAZZKq1YaDA',
  ],
  [
    'django unicode bcrypt_sha256',
    'Zoë ﬁn café 日本',
    'bcrypt_sha256$$2b$04$Yqg/MQHVoWVRArX9u4A7nu0vgBu9xrEvJPjnrqhrHkOTe.grjkPO2',
  ],
  ['django unicode bcrypt', 'Zoë ﬁn café 日本', 'bcrypt$$2b$04$0moIZktvKLSdqr06oXOWgecwW6/TB6QmYOcrca/7KolVGdl5ltyl2'],
  [
    'django long bcrypt_sha256',
    'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxétail that bcrypt never saw',
    'bcrypt_sha256$$2b$04$yoq.EFw/7XtBTMkraCRiNeNrwiR.UnAgOQx1gSRGstqlTQq6J6BwO',
  ],
  ['bcrypt', 'correct horse battery', '$2a$04$VYVluT0VyUJbC/JHDhiqgOBCWF.jUIVmySjQrjtlyuFOttFCFDtim'],
  ['bcrypt', 'correct horse battery', '$2b$04$Rjgpuj8kbFCnfBOl4ornPOhCL1Wdza0Xkd3TiaUPLhFUzGOCwEgMy'],
  ['bcrypt', 'correct horse battery', '$2b$12$UCiUOQiBXBbqwej0CcWih.f3GuVVTBOqhS7RGhC3oC0CkhJiHPTXC'],
  ['bcrypt unicode', 'Zoë ﬁn café 日本', '$2b$04$oIsx6myQzDNUFxezF7lZaeoQ0R59jInZ9bEV3szq2RS8v5BxyIRTe'],
  ['bcrypt nul', 'quiet\0walk', '$2b$04$H7CId2u8GfkX03Q2wlyy9.1..zKy95zZmRYhnFPVwDpQ7J0dANpru'],
  [
    'bcrypt long',
    'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxétail that bcrypt never saw',
    '$2b$04$tCqL77S.dV5vvUdLHqjvK.JGtVKdsJPCUeBQgsS/e7NlZe5oDj8xS',
  ],
  ['libxcrypt', 'correct horse battery', '$2a$04$YqVpHJZU3Fc6GPxYxKjxI.Ulv0RSaOryYSNkyhZJ.oJoK5Sg6OEVa'],
  [
    'libxcrypt long',
    'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxétail that bcrypt never saw',
    '$2a$04$YqVpHJZU3Fc6GPxYxKjxI.NK9a.G4VcFGksvNhjXfsfFULm8m67CC',
  ],
  [
    'libxcrypt 72',
    'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy',
    '$2a$04$YqVpHJZU3Fc6GPxYxKjxI.9AKfCS3nV51slZTsldqrB7SWehyhXqm',
  ],
  [
    'libxcrypt 255+',
    'zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz',
    '$2a$04$YqVpHJZU3Fc6GPxYxKjxI.mT7FMhFDDKvyuyuQMHtgdfILQvIKWN.',
  ],
  ['libxcrypt high bits', 'ÿ£345', '$2a$04$YqVpHJZU3Fc6GPxYxKjxI..3Z3P/FZa4jEcaL5Txuw.2uqsN4w7me'],
  ['libxcrypt', 'correct horse battery', '$2b$04$pI3w.QyYpqmGuwIxjFpevehd/9BJeczSMmwOYCoygPaVaoKQ3GOHu'],
  [
    'libxcrypt long',
    'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxétail that bcrypt never saw',
    '$2b$04$pI3w.QyYpqmGuwIxjFpevefkQbfIo/GuxXUDhQLAGq2bwxz1HJbHG',
  ],
  [
    'libxcrypt 72',
    'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy',
    '$2b$04$pI3w.QyYpqmGuwIxjFpevejA5w4dzrHfgSMRdaSYNtDYLyXMCc7Ey',
  ],
  [
    'libxcrypt 255+',
    'zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz',
    '$2b$04$pI3w.QyYpqmGuwIxjFpeveWywRoHLqYUTAHCLRTjpwLfllHm4N.ri',
  ],
  ['libxcrypt high bits', 'ÿ£345', '$2b$04$pI3w.QyYpqmGuwIxjFpevelQ8vJir423TB65ZuUkDmXqgVUenv/ce'],
  ['libxcrypt', 'correct horse battery', '$2y$04$YUMAiuVwBpUulkpr0sS86enqgsNWwiPzjT9TIv6Q8Argj2BUXzlnK'],
  [
    'libxcrypt long',
    'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxétail that bcrypt never saw',
    '$2y$04$YUMAiuVwBpUulkpr0sS86eAyCpAXkkUtO9.BUCWfDfplRo2mqP8AK',
  ],
  [
    'libxcrypt 72',
    'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy',
    '$2y$04$YUMAiuVwBpUulkpr0sS86ebihnAnl9XR7eBXCVk/TIMI.ygLvsLV2',
  ],
  [
    'libxcrypt 255+',
    'zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz',
    '$2y$04$YUMAiuVwBpUulkpr0sS86eekdV84VywQ9YALHg/NFtWtREuThItN6',
  ],
  ['libxcrypt high bits', 'ÿ£345', '$2y$04$YUMAiuVwBpUulkpr0sS86eW1fDGqDN9K.LYvuhv6xP9BRSJ6tzZZi'],
  [
    'argon2 D',
    'correct horse battery',
    '$argon2d$v=19$m=64,t=1,p=2$c2FsdHNhbHRzYWx0c2FsdA$eCNnd+NU4FsoL8raQBFv8YR6Jf/Ty/7sNXTS1lRbezo',
  ],
  ['argon2 v16 D', 'correct horse battery', '$argon2d$v=16$m=64,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$aFkgxEilOzCD544zl9xmkg'],
  [
    'argon2 I',
    'correct horse battery',
    '$argon2i$v=19$m=64,t=1,p=2$c2FsdHNhbHRzYWx0c2FsdA$l6KUS0I56bBRno2zLEMJ2mhUt/Vkgxo/xy8nXODVTZ4',
  ],
  ['argon2 v16 I', 'correct horse battery', '$argon2i$v=16$m=64,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$fEa0Z5+yaj1bkUCbvGNU/A'],
  [
    'argon2 ID',
    'correct horse battery',
    '$argon2id$v=19$m=64,t=1,p=2$c2FsdHNhbHRzYWx0c2FsdA$/nMo9jlWd5Bng6izaW+rvfux+zAJP+XHYQeTY/JYAEY',
  ],
  [
    'argon2 v16 ID',
    'correct horse battery',
    '$argon2id$v=16$m=64,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$jRMUWKyC3QJzIvy+ROphhg',
  ],
  [
    'argon2-cffi',
    'Zoë ﬁn café 日本',
    '$argon2id$v=19$m=65536,t=3,p=4$MI4Lky8fNTiX8YcD073x4A$mcHa9/qIgK0f+V44x7apsvno2znFOtVru729L7ro9m8',
  ],
  [
    'flask-bcrypt long',
    'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxétail that bcrypt never saw',
    'bcrypt_sha256$$2b$04$ujGgH0.iy25R.IlSnFs5Euus4lwSDX3xFoaQo4GWvsT2BQLVIdpBG',
  ],
]
