#!/usr/bin/env python3
"""Boots a systemd in namespaces of its own, on a copy of this machine's files, and runs a program in there.

    tests/debian/boot.py FOLDER

FOLDER holds the program, `checks`. It is /checks in the booted system; nothing else there outlives the end. The output of
the program is printed, and its exit code is the one of this script. Needs root.
"""

import os
import pathlib
import subprocess
import sys
import threading

# Nothing of the devices and file systems of this machine is to be touched.
MASKED = """
    systemd-udevd.service systemd-udev-trigger.service systemd-udevd-kernel.socket systemd-udevd-control.socket
    systemd-modules-load.service systemd-sysctl.service systemd-remount-fs.service systemd-networkd.service
    systemd-resolved.service systemd-timesyncd.service systemd-logind.service systemd-hwdb-update.service
    systemd-journal-catalog-update.service systemd-firstboot.service systemd-machine-id-commit.service
    systemd-random-seed.service systemd-boot-system-token.service systemd-pcrphase.service
    dev-hugepages.mount dev-mqueue.mount sys-kernel-config.mount sys-kernel-debug.mount sys-kernel-tracing.mount
    sys-fs-fuse-connections.mount proc-sys-fs-binfmt_misc.automount getty.target cron.service apt-daily.timer
    apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer man-db.timer logrotate.timer
""".split()

TARGET = """
[Unit]
Requires=checks.service
"""

SERVICE = """
[Unit]
After=basic.target
Requires=basic.target
SuccessAction=exit-force
FailureAction=exit-force
[Service]
Type=oneshot
Environment=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
ExecStart=/bin/sh -c '/checks/checks >/checks/output 2>&1; echo $? >/checks/code'
"""

# The booted system has a control group of its own, which is removed again.
GROUP = """
set -e
work=$1; shift
mkdir "$work/groups"
mount -t cgroup2 cgroup2 "$work/groups"
group=$work/groups/shardcast-test-$$
mkdir "$group"
echo $$ >"$group/cgroup.procs"
unshare --mount --pid --fork --kill-child --uts --ipc --net --cgroup "$@" || true
echo $$ >"$work/groups/cgroup.procs"
find "$group" -depth -type d -exec rmdir {} +
"""

SETUP = """
set -e
work=$1; console=$2; shift 2
mount --make-rprivate /
mkdir "$work/changes"
mount -t tmpfs tmpfs "$work/changes"
cd "$work/changes"
mkdir upper work root
mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root
cd root
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
for place in run tmp dev; do mount -t tmpfs -o mode=755 tmpfs $place; done
chmod 1777 tmp
for node in null zero full random urandom tty; do touch dev/$node; mount --bind /dev/$node dev/$node; done
mkdir dev/pts dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
touch dev/console
mount --bind "$console" dev/console
mount -t cgroup2 cgroup2 sys/fs/cgroup
mkdir checks
mount --bind "$work" checks
system=etc/systemd/system
rm -rf $system/*.wants $system/default.target usr/sbin/policy-rc.d etc/fstab
for unit in "$@"; do ln -sfn /dev/null $system/$unit; done
cp checks/checks.target checks/checks.service $system/
mkdir old
pivot_root . old
umount --lazy old
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system --log-target=console --unit=checks.target
"""


def main():
    folder = pathlib.Path(sys.argv[1]).resolve()
    (folder / "checks.target").write_text(TARGET)
    (folder / "checks.service").write_text(SERVICE)
    # systemd only writes to a terminal.
    reader, console = os.openpty()
    said = bytearray()

    def read():
        try:
            while part := os.read(reader, 4096):
                said.extend(part)
        except OSError:
            pass

    threading.Thread(target=read, daemon=True).start()
    system = ["bash", "-c", SETUP, "setup", str(folder), os.ttyname(console), *MASKED]
    command = ["unshare", "--mount", "bash", "-c", GROUP, "group", str(folder), *system]
    with subprocess.Popen(command, stdin=console, stdout=console, stderr=console) as booted:
        try:
            booted.wait()
        finally:
            booted.kill()
    output, code = folder / "output", folder / "code"
    if not code.exists():
        print(said.decode(errors="replace"))
        print(output.read_text() if output.exists() else "the checks did not begin")
        return 1
    print(output.read_text())
    return int(code.read_text())


if __name__ == "__main__":
    sys.exit(main())
