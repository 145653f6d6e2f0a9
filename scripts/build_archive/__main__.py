"""`scripts/build`: makes the archive to deploy, or says in a sentence why there is none."""

import argparse
import hashlib
import sys
import time
from pathlib import Path

from build_archive.build import build
from build_archive.errors import BuildError
from build_archive.job import BYTECODE_NUMBERS, DEFAULT_PYTHON, THIS_MACHINE, platform_target
from build_archive.limits import MAX_UNPACKED_BYTES, MAX_ZIP_BYTES, MB


def main() -> int:
    """Build and report; the exit status is 1 when there is no archive."""
    arguments = _parse()
    target = THIS_MACHINE if arguments.local else platform_target(arguments.python)
    started = time.monotonic()
    try:
        size = build(arguments.output, target)
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped; there is no archive.", file=sys.stderr)
        return 1
    digest = hashlib.sha256(arguments.output.read_bytes()).hexdigest()
    print(f"{arguments.output}: for {target.name}, in {time.monotonic() - started:.0f} s")
    print(f"zip       {size.zip_bytes / MB:6.1f} MB of at most {MAX_ZIP_BYTES / MB:.0f}")
    print(f"unpacked  {size.unpacked_bytes / MB:6.1f} MB of at most {MAX_UNPACKED_BYTES / MB:.0f}, {size.files} files")
    print(f"sha256    {digest}")
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/build",
        description="Make the archive to deploy: the function, and its locked dependencies built for the platform.",
    )
    parser.add_argument(
        "--output", type=Path, default=Path("function.zip"), metavar="FILE", help="default: %(default)s"
    )
    parser.add_argument(
        "--python",
        choices=sorted(BYTECODE_NUMBERS),
        default=DEFAULT_PYTHON,
        help="the Python of the platform's runtime (default: %(default)s)",
    )
    parser.add_argument(
        "--local",
        action="store_true",
        help="with dependencies built for this machine, to be run by scripts/emulate --archive, not to be deployed",
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
