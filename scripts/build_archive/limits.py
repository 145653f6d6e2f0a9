"""How large an archive may be; ours stays far below what the platform takes."""

from dataclasses import dataclass

from build_archive.errors import BuildError

MB = 1_000_000

# Every cold start begins with fetching and unpacking the archive, on a share of a core, and where the image is kept in
# memory each byte counts against the function's. The platform's own limits, 100 MiB and 500 MiB, are well above these;
# neither its command line nor its plugin enforces them, so that an archive over them would fail in the cloud only.
# Of 60 MB, 37 are PyAV, 24 of them FFmpeg with codecs for pictures, which it does not load without.
MAX_ZIP_BYTES = 70 * MB
MAX_UNPACKED_BYTES = 200 * MB


@dataclass(frozen=True)
class Size:
    """How large an archive is, in bytes and files."""

    zip_bytes: int
    unpacked_bytes: int
    files: int


def check_size(size: Size) -> None:
    """Raises `BuildError` for an archive over a limit."""
    for what, size_bytes, limit_bytes in (
        ("The archive", size.zip_bytes, MAX_ZIP_BYTES),
        ("The archive's content", size.unpacked_bytes, MAX_UNPACKED_BYTES),
    ):
        if size_bytes > limit_bytes:
            raise BuildError(f"{what} has {size_bytes / MB:.1f} MB, and may have {limit_bytes / MB:.0f} MB.")
