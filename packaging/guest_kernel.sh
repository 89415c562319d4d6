#!/bin/sh
# Fetches Debian's kernel for the guest that `make soak` runs, into build/guest-kernel: vmlinuz and modules/.
#
# There already, or not to be had (another system, no network): one line at most, status 0; the tests of
# the guest then say what is missing. Nothing is installed, so no boot loader is touched.
set -eu
case ${1:-} in -h | --help) echo 'usage: packaging/guest_kernel.sh: fetches a kernel for the guest of make soak' && exit 0 ;; esac
cd "$(dirname "$0")/.."
folder=build/guest-kernel
[ -e $folder/vmlinuz ] && exit 0
[ "$(uname -m)" = x86_64 ] && command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || {
    echo "note: no Debian on x86-64, so no kernel for the guest of the soak"
    exit 0
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
package=$(apt-cache depends linux-image-amd64 | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)$/\1/p' | head -n 1)
if [ -z "$package" ] || ! (cd "$work" && apt-get download "$package" >log 2>&1); then
    echo "note: apt-get download ${package:-linux-image-amd64} failed: no kernel for the guest of the soak"
    exit 0
fi
dpkg-deb --extract "$work"/linux-image-*.deb "$work/tree"
mkdir -p $folder/modules
for name in ipmi_msghandler ipmi_devintf ipmi_si; do
    find "$work/tree" -name "$name.ko*" -exec cp {} $folder/modules/ \;
done
cp "$work"/tree/boot/vmlinuz-* $folder/vmlinuz.part
mv $folder/vmlinuz.part $folder/vmlinuz # last: it says that all is there
echo "system: fetched $package for the guest of the soak"
