"""Verbs that installed packages bring: found without an import, and one at fault harms no other."""

import pytest

from segplug.cli.main import main, overview
from segplug.cli.verbs import plugin_verbs

GOOD = '''"""Count things."""

EXAMPLE = 'example:\\n  segplug count --times 2'


def add_arguments(parser):
    parser.add_argument('--times', type=int, default=1)


def run(args, argv):
    print('counted', args.times, argv)
    return 3 if args.times == 2 else 0
'''


@pytest.fixture
def install(tmp_path, monkeypatch):
    """A function that puts a distribution with these verbs and modules on the path."""
    monkeypatch.delenv('SEGPLUG_NO_PLUGINS', raising=False)

    def put(package, verbs, **modules):
        folder = tmp_path / package
        info = folder / f'{package}-1.0.dist-info'
        info.mkdir(parents=True)
        (info / 'METADATA').write_text(f'Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n')
        lines = ''.join(f'{name} = {module}\n' for name, module in verbs.items())
        (info / 'entry_points.txt').write_text(f'[segplug.verbs]\n{lines}')
        for name, text in modules.items():
            (folder / f'{name}.py').write_text(text)
        monkeypatch.syspath_prepend(str(folder))
    return put


def test_a_verb_is_shown_and_runs_with_its_arguments(install, capsys):
    install('counting', dict(count='counting_verb'), counting_verb=GOOD)
    assert 'plugins:\n  count          of counting 1.0\n' in overview()
    assert main(['count', '--times', '2']) == 3
    assert "counted 2 ['count', '--times', '2']" in capsys.readouterr().out


def test_its_help_has_its_example(install, capsys):
    install('counting2', dict(count2='counting_verb2'), counting_verb2=GOOD)
    with pytest.raises(SystemExit):
        main(['count2', '--help'])
    out = capsys.readouterr().out
    assert 'Count things.' in out
    assert 'example:' in out


def test_nothing_is_imported_to_show_it(install):
    install('loud', dict(shout='loud_verb'), loud_verb='raise RuntimeError("imported")')
    assert '  shout ' in overview()


def test_a_name_of_ours_is_refused_and_ours_runs(install, capsys):
    install('greedy', dict(zoo='greedy_verb', own='greedy_verb'), greedy_verb=GOOD)
    assert 'zoo            of greedy 1.0, not used: segplug has a verb of this name' in overview()
    with pytest.raises(SystemExit) as done:
        main(['zoo', '--help'])
    assert done.value.code == 0
    assert 'Count things' not in capsys.readouterr().out
    assert main(['own']) == 0


def test_two_of_one_name_are_both_refused(install, capsys):
    for package in ('left', 'right'):
        install(package, dict(same=f'{package}_verb'), **{f'{package}_verb': GOOD})
    assert [v.refused for v in plugin_verbs()] == ['right has one of this name, too',
                                                   'left has one of this name, too']
    assert main(['same']) == 1
    assert "The verb 'same' of" in capsys.readouterr().err


@pytest.mark.parametrize(('text', 'said'), [
    ('import no_such_module', 'ModuleNotFoundError'), ('def run(args, argv): ...', 'add_arguments'),
    ('raise SystemExit(1)', 'SystemExit')])
def test_a_broken_one_is_one_error_and_harms_no_other(install, capsys, text, said):
    name = f'broken_{abs(hash(said))}'
    install(name, dict(bad=name), **{name: text})
    install(f'fine_{name}', dict(count=f'fine_{name}'), **{f'fine_{name}': GOOD})
    assert main(['bad']) == 1
    error = capsys.readouterr().err
    assert said in error
    assert 'Traceback' not in error
    assert main(['count']) == 0


def test_a_near_miss_suggests_it(install, capsys):
    install('near', dict(enumerate='near_verb'), near_verb=GOOD)
    assert main(['enumerat']) == 2
    assert "'enumerate'" in capsys.readouterr().err


def test_the_switch_turns_them_off(install, monkeypatch):
    install('off', dict(offed='off_verb'), off_verb=GOOD)
    monkeypatch.setenv('SEGPLUG_NO_PLUGINS', '1')
    assert plugin_verbs() == []
    assert 'plugins:' not in overview()


def test_the_list_names_them(install, capsys):
    install('listed', dict(tell='listed_verb'), listed_verb=GOOD)
    assert main(['plugins', 'list']) == 0
    out = capsys.readouterr().out
    assert 'segplug tell' in out
    assert 'a verb' in out
