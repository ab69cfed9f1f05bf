"""What differs in two configs, worked by hand."""

import pytest

from segplug.apis.differing import diff_configs


@pytest.fixture
def configs(tmp_path):
    def write(name, text):
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return (write('a.py', """lr = 1
steps = [dict(type='Load'),
         dict(type='Crop', size=(4, 4)),
         dict(type='Flip', prob=0.5), dict(type='Pack')]
loader = dict(steps=steps, workers=2, size=(1, 2))
head = dict(type='A', width=1)
work_dir = 'x'
"""), write('b.py', """lr = 1.0
steps = [dict(type='Load'), dict(type='Resize', scale=2),
         dict(type='Crop', size=(8, 8)),
         dict(type='Pack')]
loader = dict(steps=steps, size=[1, 2])
head = dict(type='A', width=True, more=dict(p=1, q=[]))
work_dir = 'x'
"""))


def test_items_of_a_list_are_paired_by_their_type(configs):
    """A list is a tuple, 1 is 1.0, and True is not 1; what a variable stands for is said once."""
    found = diff_configs(*configs)
    assert [(d.kind, d.key, d.old, d.new, d.also) for d in found.differences] == [
        ('added', 'steps.1', None, dict(type='Resize', scale=2), ['loader.steps.1']),
        ('changed', 'steps.1.size', (4, 4), (8, 8), ['loader.steps.1.size']),
        ('removed', 'steps.2', dict(type='Flip', prob=0.5), None, ['loader.steps.2']),
        ('removed', 'loader.workers', 2, None, []),
        ('changed', 'head.width', 1, True, []),
        ('added', 'head.more.p', None, 1, []),
        ('added', 'head.more.q', None, [], [])]
    assert found.differences[1].old_origin == 'a.py:3'
    assert found.differences[1].new_origin == 'b.py:3'
    assert '~ steps.1.size = (4, 4) -> (8, 8)' in str(found)
    assert 'a.py:3 -> b.py:3; also loader.steps.1.size' in str(found)
    assert str(found).endswith('# 2 changed, 2 removed, 3 added')
    assert 'a.py:' not in found.text(origins=False)


def test_keys_choose_and_options_are_of_the_first(configs):
    found = diff_configs(configs[0], configs[0], options={'head.width': 5, 'lr': 3}, keys=['head'])
    assert [(d.key, d.old, d.new) for d in found.differences] == [('head.width', 5, 1)]
    assert found.differences[0].old_origin == '--cfg-options'
    assert str(diff_configs(configs[0], configs[0])).endswith('# nothing differs')
