import { allow, errno, type Policy } from '../policy'

/**
 * What `lockdown` installs before it makes libuv give up its io_urings (docs/io-uring.md): no new
 * ones. libuv takes ENOSYS for a kernel without io_uring; the rings there are go on working.
 */
export const noNewRings: Policy = Object.freeze<Policy>({
  name: 'no new io_urings',
  default: allow,
  syscalls: Object.freeze({
    io_uring_setup: errno('ENOSYS'),
    io_uring_register: errno('ENOSYS'),
    io_uring_enter: allow,
  }),
})
