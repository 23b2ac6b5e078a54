/**
 * What the DaemonSet runs on each node: POSIX sh, with what busybox and coreutils both have.
 *
 * A runtime that reads the file while it is written must see all of it or nothing: it is written beside its place
 * and renamed. A file of half a profile (a node that lost power) is told by its checksum, and written anew.
 */

const CHECK = `holds() { [ "$(sha256sum < "$1" 2> /dev/null)" = "$SUM  -" ]; }`

/** Reads SOURCE, TARGET and SUM (SHA-256, hexadecimal) from the environment. */
export const INSTALL_SCRIPT = `set -eu
umask 022
${CHECK}
if holds "$TARGET"; then exit 0; fi
mkdir -p "$(dirname "$TARGET")"
temporary=$(mktemp "$TARGET.XXXXXX")
trap 'rm -f "$temporary"' EXIT
cat "$SOURCE" > "$temporary"
holds "$temporary"
chmod 0644 "$temporary"
mv -f "$temporary" "$TARGET"
`

/** Reads TARGET. Only this profile's file goes; the folder too, when it was the last. */
export const REMOVE_SCRIPT = `set -eu
rm -f "$TARGET"
rmdir "$(dirname "$TARGET")" 2> /dev/null || true
`

/** Until it is told to end. */
export const HOLD_SCRIPT = `trap 'exit 0' TERM INT
while :; do sleep 3600 & wait $!; done
`
