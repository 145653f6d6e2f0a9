"""The times of decoded frames: gaps between them, jumps of their time stamps, and what is missing."""

from typing import TYPE_CHECKING

from transcriber.spans import Span

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame

# Time stamps of real files are off by up to a packet; a longer gap is time without sound, and times after it would be
# early.
LONGEST_WAVER_SECONDS = 0.2
# A gap this long is reported, in case there was sound in it; shorter ones come from recorders that leave silence out.
LONG_GAP_SECONDS = 0.5
# Recorders that leave silence out send something within seconds. A longer gap is a clock that jumped: a change of
# programme, or a file that was joined to another.
LONGEST_GAP_SECONDS = 60.0
# Time stamps that go back by more begin another count, as in joined files.
LONGEST_STEP_BACK_SECONDS = 1.0
# Sound may begin after the picture by as much, such as that of a microphone that was switched on later.
LONGEST_LEAD_SECONDS = 600.0
# Failures that are closer together are reported as one.
ONE_DAMAGE_SECONDS = 5.0


class Timeline:
    """The times of the decoded frames, and what is missing between them; damage is appended to `damage`."""

    def __init__(self, damage: list[Span]) -> None:
        self.seconds = 0.0  # the length of frames and gaps so far
        self._damage = damage
        self._origin_seconds: float | None = None
        self._failed_at: float | None = None

    def begin(self, container_seconds: float | None) -> None:
        """Begin a container, whose own time stamps begin at `container_seconds`, after what was counted so far."""
        self._origin_seconds = None if container_seconds is None else container_seconds - self.seconds

    def note_failure(self) -> None:
        """Note a packet that could not be decoded."""
        self._failed_at = self.seconds if self._failed_at is None else self._failed_at

    def note_unread(self, seconds: float | None) -> None:
        """Note that about `seconds` at the end cannot be read; None where its length is not known."""
        self.finish()
        self._damage.append(Span(self.seconds, float("inf") if seconds is None else self.seconds + seconds))

    def has_gap_before(self, frame: "AudioFrame") -> bool:
        """Whether there is time without sound before `frame`, by its time stamp; if so, it is counted."""
        frame_seconds = frame.time  # computed at each access
        if frame_seconds is None:
            return False
        if self._origin_seconds is None:
            self._origin_seconds = frame_seconds - self.seconds
        gap_seconds = frame_seconds - self._origin_seconds - self.seconds
        longest = LONGEST_GAP_SECONDS if self.seconds else LONGEST_LEAD_SECONDS
        if not -LONGEST_STEP_BACK_SECONDS <= gap_seconds <= longest:
            self._origin_seconds = frame_seconds - self.seconds
            return False
        if gap_seconds <= (0 if self._failed_at is not None else LONGEST_WAVER_SECONDS):
            return False
        if gap_seconds >= LONG_GAP_SECONDS and self._failed_at is None and self.seconds:
            self._failed_at = self.seconds
        self.seconds += gap_seconds
        return True

    def take(self, frame: "AudioFrame") -> None:
        """Count a frame; damage before it ends here."""
        self.finish()
        self.seconds += frame.samples / frame.sample_rate

    def finish(self) -> None:
        """Note the damage that ends here, if there is any."""
        if self._failed_at is None:
            return
        start, self._failed_at = self._failed_at, None
        if self._damage and start - self._damage[-1].end_seconds < ONE_DAMAGE_SECONDS:
            start = self._damage.pop().start_seconds
        self._damage.append(Span(start, self.seconds))
