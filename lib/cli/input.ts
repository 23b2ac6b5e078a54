/** Files, standard input and output: read no further than what is made of them. */
import type { FileHandle } from 'node:fs/promises'
import { open, writeFile } from 'node:fs/promises'
import type { Readable } from 'node:stream'
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
export async function readInput(
  file: string,
  stdin: NodeJS.ReadStream,
  most: number,
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  let length = 0
  for await (const piece of inputStream(file, stdin)) {
    pieces.push(piece)
    length += piece.length
    if (length > most) {
      throw new InputError(nameOf(file), `is larger than the ${most} bytes that are read`)
    }
  }
  return Buffer.concat(pieces)
}

/** In pieces, for what may be of any length. @throws InputError */
export async function* inputStream(
  file: string,
  stdin: NodeJS.ReadStream,
): AsyncGenerator<Uint8Array> {
  if (file === STDIN) {
    if (stdin.isTTY) {
      throw new UsageError('standard input is a terminal: give it a file, or pipe something in')
    }
    yield* bytesOf(stdin, file)
    return
  }
  let handle: FileHandle
  try {
    handle = await open(file, 'r')
    if ((await handle.stat()).isDirectory()) throw new InputError(file, 'is a directory')
  } catch (error) {
    throw unreadable(file, error)
  }
  yield* bytesOf(handle.createReadStream(), file)
}

async function* bytesOf(stream: Readable, file: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of stream) yield piece as Uint8Array
  } catch (error) {
    throw unreadable(file, error)
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
  if (error instanceof InputError) return error
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
    await writeFile(file, content)
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
