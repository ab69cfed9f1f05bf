"""The first signal ends a command with its code; those after it change nothing any more."""

import signal
import subprocess
import sys
import time

import pytest

from segplug.cli import signals

SCRIPT = '''
import os, signal, sys, time
from segplug.cli.main import guarded

def storm(args, argv):
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(60)
    finally:
        for _ in range(5):
            os.kill(os.getpid(), signal.SIGUSR1)
            os.kill(os.getpid(), signal.SIGTERM)
        print('tidied up', flush=True)

class Late:  # is taken away when the interpreter is nearly gone
    def __del__(self, kill=os.kill, me=os.getpid()):
        kill(me, 15)

late = Late()
sys.exit(guarded(storm, None, []))
'''


def test_a_storm_ends_with_the_code_of_the_first():
    done = subprocess.run([sys.executable, '-c', SCRIPT], capture_output=True, text=True,
                          timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (143, 'tidied up\n', '')


def test_handlers_are_given_back_after_an_orderly_end():
    before = signal.getsignal(signal.SIGTERM)
    with signals.ended_by_signals():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before


def test_only_a_later_ctrl_c_raises_again(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, 'monotonic', lambda: now[0])
    handler = signals.raising_once(lambda signum: KeyError(signum))
    with pytest.raises(KeyError):
        handler(signal.SIGINT, None)
    for now[0], signum in ((100.5, signal.SIGINT), (105.0, signal.SIGTERM)):
        handler(signum, None)
    with pytest.raises(KeyError):
        handler(signal.SIGINT, None)
