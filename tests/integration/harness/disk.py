# SPDX-License-Identifier: Apache-2.0
"""Small file systems that can be filled."""
import os
import subprocess

from harness.runner import Skip


class SmallDisk:
    """A small ext4 file system in a file, mounted."""

    def __init__(self, work, megabytes, name="disk"):
        self.image, self.path = work / f"{name}.img", work / name
        self.path.mkdir()
        subprocess.run(["truncate", "-s", f"{megabytes}M", self.image], check=True)
        subprocess.run(["mkfs.ext4", "-q", "-m", "0", self.image], check=True)
        done = subprocess.run(["mount", "-o", "loop", self.image, self.path], capture_output=True, text=True)
        if done.returncode != 0:
            raise Skip(f"cannot mount a loop device here: {done.stderr.strip()}")

    def fill(self):
        """Takes all the space that is left."""
        block = bytes(1 << 20)
        with open(self.path / "ballast", "wb", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(block)
            except OSError:
                os.fsync(ballast.fileno())

    def free(self):
        """Gives back what fill() took."""
        (self.path / "ballast").unlink()

    def close(self):
        subprocess.run(["umount", "-l", self.path], check=False)
