"""The command that a test writes down is the one that was typed."""

from segplug.cli.test import typed

TYPED = ['test', 'c.py', 'x.pth', '--launcher', 'none']


def test_what_our_launcher_added_is_taken_out(monkeypatch):
    """Two machines with two processes each: what is typed on each is --nproc 2."""
    assert typed(TYPED) == ['segplug', *TYPED]
    monkeypatch.setenv('SEGPLUG_LAUNCHER', '1')
    monkeypatch.setenv('WORLD_SIZE', '4')
    monkeypatch.setenv('LOCAL_WORLD_SIZE', '2')
    assert typed([*TYPED, '--launcher', 'pytorch']) == ['segplug', *TYPED, '--nproc', '2']
    assert typed([*TYPED[:3], '--launcher', 'pytorch', '--amp']) == [
        'segplug', *TYPED[:3], '--nproc', '2', '--amp']  # as tools/dist_test.sh has it
    assert typed(TYPED) == ['segplug', *TYPED]


def test_what_torchrun_started_is_kept(monkeypatch):
    monkeypatch.delenv('SEGPLUG_LAUNCHER', raising=False)
    started = ['test', 'c.py', 'x.pth', '--launcher', 'pytorch']
    assert typed(started) == ['segplug', *started]
