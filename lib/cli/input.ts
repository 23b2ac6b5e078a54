/** Files, standard input and output: read no further than what is made of them. */
import { closeSync, fstatSync, openSync, promises, readSync } from 'node:fs'
import type { Stdin } from './command'
import { InputError, UsageError } from './errors'
import type { Output } from './output'

/** Standard input, in the place of a file. */
export const STDIN = '-'

export const nameOf = (file: string): string => (file === STDIN ? 'standard input' : file)

/**
 * All of it, or an error where it is longer.
 *
 * @throws InputError
 */
export async function readInput(file: string, stdin: Stdin, most: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  let length = 0
  for await (const piece of file === STDIN ? stdinPieces(stdin) : filePieces(file)) {
    pieces.push(piece)
    length += piece.length
    if (length > most) {
      throw new InputError(nameOf(file), `is larger than the ${most} bytes that are read`)
    }
  }
  return Buffer.concat(pieces)
}

/** In pieces, for what may be of any length. @throws InputError */
export async function* inputStream(file: string, stdin: Stdin): AsyncGenerator<Uint8Array> {
  if (file === STDIN) yield* stdinPieces(stdin)
  else yield* filePieces(file)
}

async function* stdinPieces(stdin: Stdin): AsyncGenerator<Uint8Array> {
  const stream = stdin()
  if (stream.isTTY) {
    throw new UsageError('standard input is a terminal: give it a file, or pipe something in')
  }
  try {
    for await (const piece of stream) yield piece as Uint8Array
  } catch (error) {
    throw unreadable(STDIN, error)
  }
}

const PIECE = 1 << 16

/** Synchronously: nothing else goes on, and Node's streams take longer to load than a profile to read. */
function* filePieces(file: string): Generator<Uint8Array> {
  let fd: number | undefined
  try {
    fd = openSync(file, 'r')
    if (fstatSync(fd).isDirectory()) throw new InputError(file, 'is a directory')
    for (;;) {
      const piece = Buffer.allocUnsafe(PIECE)
      const length = readSync(fd, piece)
      if (length === 0) return
      yield piece.subarray(0, length)
    }
  } catch (error) {
    throw unreadable(file, error)
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

const PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EACCES: 'may not be read (EACCES)',
  EPERM: 'may not be read (EPERM)',
  EISDIR: 'is a directory',
}

function unreadable(file: string, error: unknown): Error {
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error))
    return error as Error
  const { code = '', message } = error as NodeJS.ErrnoException
  return new InputError(nameOf(file), PROBLEMS[code] ?? message, error)
}

/** To the file of -o, or to standard output where there is none. @throws InputError */
export async function writeOutput(
  file: string | undefined,
  content: string | Uint8Array,
  out: Output,
): Promise<void> {
  if (file === undefined || file === STDIN) {
    out.write(content)
    return
  }
  try {
    await promises.writeFile(file, content)
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    throw new InputError(file, `could not be written: ${WRITING[code] ?? message}`, error)
  }
}

const WRITING: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such folder',
  ENOTDIR: 'there is no such folder',
  EACCES: 'it may not be written (EACCES)',
  EISDIR: 'it is a directory',
  ENOSPC: 'the disk is full',
}
