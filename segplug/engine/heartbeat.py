"""Each rank tells the others every few seconds that it lives and how far it is.

gloo and NCCL wait for a rank that died on another machine, or hangs, until their timeout, and then
blame nobody. Here a thread beside the training exchanges a few bytes through the store where the
ranks met; whoever finds a rank silent or stuck names it, and all end. It also carries a request to
stop to the ranks that got no signal.
"""

import contextlib
import json
import os
import re
import sys
import threading
import time
from dataclasses import dataclass

from torch import distributed as dist

from ..errors import report
from .joining import Peer
from .stopping import request

BEAT = 3.0  # seconds between two beats
SILENCE = 45.0  # seconds after which a rank that was not heard of is taken for dead
GRACE = 5.0  # seconds that the main thread has to end by itself
_LIBRARY = re.compile(rf'[/\\]torch[/\\]|^{re.escape(os.path.dirname(os.__file__))}(?!.*-packages)')
# Where a thread waits for other ranks, as file and function of its stack.
_WAITING = (('distributed_c10d.py', ''), ('graph.py', '_engine_run_backward'))


@dataclass
class Beat:
    """What a rank says of itself.

    Attributes:
        count: Grows with each beat.
        ticks: Grows with each step of the main thread; 0 before the first.
        idle: Seconds since the last tick.
        doing: What the main thread said it does.
        place: Where in the code it is.
        waits: Whether that is a wait for other ranks.
    """

    count: int = 0
    ticks: int = 0
    idle: float = 0
    doing: str = 'starting'
    place: str = ''
    waits: bool = False


class Heartbeat:
    """The threads of one rank.

    Args:
        store: Where the ranks met, by a connection of its own.
        peers: All ranks.
        rank: Of this process.
        timeout: Seconds without a step, on all ranks, after which the job is taken to hang.
        silence: Seconds after which a rank that was not heard of is taken for dead.
        beat: Seconds between two beats.
    """

    def __init__(self, store: dist.Store, peers: list[Peer], rank: int, timeout: float,
                 silence: float = SILENCE, beat: float = BEAT) -> None:
        self.store, self.peers, self.rank = store, peers, rank
        self.timeout, self.silence, self.beat = timeout, silence, beat
        self.verdict = ''
        self._own, self._since = Beat(), time.monotonic()
        self._contact = self._since
        self._seen = {peer.rank: (-1, time.monotonic()) for peer in peers}
        self._main, self._over = threading.main_thread().ident, threading.Event()
        self._told = False
        self._threads = [threading.Thread(target=target, daemon=True, name='heartbeat')
                         for target in (self._run, self._guard)]

    def start(self) -> None:
        """Begin; `joining.roll_call` has made the keys of all ranks."""
        self._contact = time.monotonic()
        for thread in self._threads:
            thread.start()

    def tick(self, doing: str) -> None:
        """Note that the main thread got on, and to what."""
        self._own.ticks += 1
        self._own.doing, self._since = doing, time.monotonic()

    def end(self, reason: str = 'done') -> None:
        """Tell the others that this rank goes, and why."""
        self._over.set()
        with contextlib.suppress(RuntimeError):
            self.store.set(f'ended/{self.rank}', reason)

    # --- a request to stop -----------------------------------------------------------------

    def say_saved(self) -> None:
        """Rank 0 has written what a stop leaves behind; the others may go."""
        with contextlib.suppress(RuntimeError):
            self.store.set('saved', str(request.signum))

    def wait_saved(self, seconds: float) -> None:
        """Wait until rank 0 has; a store that is gone says so too."""
        deadline = time.monotonic() + seconds
        with contextlib.suppress(RuntimeError):
            while time.monotonic() < deadline and not self.store.check(['saved']):
                time.sleep(0.1)

    # --- who is to blame -------------------------------------------------------------------

    def explain(self, patience: float = 5 * BEAT) -> str | None:
        """After a communication failed: a sentence on the rank that broke it, or None.

        Waits up to ``patience`` seconds for a rank that says why it ended or falls silent.
        """
        first, deadline = self._beats(), time.monotonic() + patience
        while first is not None and not request.signum and time.monotonic() < deadline:
            if self.verdict or (reason := self._reason()):
                return self.verdict or reason
            time.sleep(0.2)
        last = self._beats()
        if request.signum or first is None or last is None:
            return None
        for before, after, peer in zip(first, last, self.peers, strict=True):
            if peer.rank != self.rank and before.count == after.count:
                return _dead(peer, patience)
        return None

    def _reason(self) -> str | None:
        with contextlib.suppress(RuntimeError):
            for peer in self.peers:
                said = self.store.get(f'ended/{peer.rank}').decode()
                if said not in ('', 'done'):
                    return f'{_title(peer)} ended: {said}'
        return None

    def _beats(self, ranks: list[int] | None = None) -> list[Beat] | None:
        ranks = range(len(self.peers)) if ranks is None else ranks
        try:
            said = self.store.multi_get([f'beat/{r}' for r in ranks])
        except RuntimeError:
            return None
        return [Beat(**json.loads(text)) if text else Beat() for text in said]

    # --- the threads -----------------------------------------------------------------------

    def _run(self) -> None:
        while not self._over.wait(self.beat):
            try:
                self._exchange()
            except RuntimeError:  # torch's DistError: nobody serves the store any more
                return
            self._contact = time.monotonic()

    def _guard(self) -> None:
        """Notice when the store does not answer: a call of it may wait for minutes then."""
        last = time.monotonic()
        while not self._over.wait(self.beat):
            now = time.monotonic()
            if now - last > 3 * self.beat:
                self._wake()
            last = now
            if now - self._contact > self.silence + 2 * self.beat:
                self._end(f'The store where the ranks met is gone, or cannot be reached, and with '
                          f'it {self.peers[0]}, or the torchrun beside it.', 1, aloud=True)
                return

    def _wake(self) -> None:
        """After this process itself was stopped for a while, the others get their time anew."""
        now = time.monotonic()
        self._contact = now
        self._seen = {rank: (count, now) for rank, (count, _) in self._seen.items()}

    def _exchange(self) -> None:
        own = self._own
        own.count += 1
        own.idle = time.monotonic() - self._since
        own.place, own.waits = whereabouts(self._main)
        self.store.set(f'beat/{self.rank}', json.dumps(vars(own)))
        self._pass_on_stop()
        # All to rank 0 and rank 0 to all: twice as many readings as ranks, not their square.
        watched = list(range(len(self.peers))) if self.rank == 0 else [0]
        beats = self._beats(watched) or []
        verdict = self._silent(watched, beats) or (self.rank == 0 and self._stuck(beats))
        if verdict and not self.store.check(['verdict']):
            self.store.set('verdict', verdict)
        if self.store.check(['verdict']):
            self._end(self.store.get('verdict').decode(), 1, aloud=bool(verdict))

    def _pass_on_stop(self) -> None:
        if request.signum and not self._told:
            self._told = True
            self.store.set('stop', str(request.signum))
        elif self.store.check(['stop']):
            request.ask(int(self.store.get('stop')))
        if self.store.check(['saved']):
            # Which is earlier than the request, where rank 0 itself got the signal.
            request.ask(int(self.store.get('saved')))
            self._end('', 128 + request.signum, aloud=False)

    def _silent(self, watched: list[int], beats: list[Beat]) -> str | None:
        now = time.monotonic()
        for rank, beat in zip(watched, beats, strict=False):
            count, since = self._seen[rank]
            if beat.count != count:
                self._seen[rank] = beat.count, now
            elif now - since > self.silence and not self.store.get(f'ended/{rank}'):
                return _dead(self.peers[rank], now - since)
        return None

    def _stuck(self, beats: list[Beat]) -> str | None:
        if any(beat.idle < self.timeout or not beat.ticks for beat in beats):
            return None
        working = [beat for beat in beats if not beat.waits] or beats
        behind = min(beat.ticks for beat in working)
        blamed = [f'{self.peers[rank]} at {beat.place} ({beat.doing})'
                  for rank, beat in enumerate(beats) if beat in working and beat.ticks == behind]
        return (f'The job hangs: no rank got on for {min(b.idle for b in beats):.0f} seconds '
                f'(env_cfg.dist_cfg.timeout). To be seen to: {"; ".join(blamed)}.')

    def _end(self, text: str, code: int, aloud: bool) -> None:
        """Let the main thread end by itself, as it may be in a call that ends with the others."""
        self.verdict = text
        if self._over.wait(GRACE):
            return
        # Only one rank says it, except to a launcher that shows each message once.
        if text and (aloud or os.environ.get('SEGPLUG_LAUNCHER') == '1'):
            report(f'TrainingError: {text}')
        sys.stdout.flush()
        os._exit(code)


def _title(peer: Peer) -> str:
    return str(peer).capitalize()


def _dead(peer: Peer, seconds: float) -> str:
    return (f'{_title(peer)} died or stands still, or its machine cannot be reached: it was not '
            f'heard of for {seconds:.0f} seconds.')


def whereabouts(thread: int) -> tuple[str, bool]:
    """('file.py:12 in function', whether it waits for other ranks) of a thread.

    The innermost line outside of torch and Python, as that is the one that a person can look at.
    """
    frame, place, waits = sys._current_frames().get(thread), '', False
    while frame is not None:
        code = frame.f_code
        if not place and not _LIBRARY.search(code.co_filename):
            place = f'{os.path.basename(code.co_filename)}:{frame.f_lineno} in {code.co_name}'
        waits |= any(code.co_filename.endswith(file) and function in code.co_name
                     for file, function in _WAITING)
        frame = frame.f_back
    return place, waits


current: Heartbeat | None = None  # of the job that this process belongs to
