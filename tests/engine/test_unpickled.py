"""What torch's weights-only unpickler lets through, and what becomes of it."""

import io
import pickle
import zipfile
from collections import Counter, OrderedDict

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.optim import OneCycleLR
from mmengine.optim.scheduler.param_scheduler import OneCycleParamScheduler
from torch import nn

from segplug.engine.checkpoint import load_checkpoint
from segplug.engine.unpickled import NotPlain, plain, sound_meta
from segplug.errors import CheckpointError


def made(function, *args, state=None):
    """Pickles as a call of ``function``, whose result then takes ``state``."""
    class Made:
        def __reduce__(self):
            return (function, args) if state is None else (function, args, state)
    return Made()


def holding_itself():
    value = {}
    value['a'] = [value]
    return value


def deep():
    value = 1
    for _ in range(101):
        value = [value]
    return value


def repeated():
    """Nine values, nine times, ... : 9 ** 12 in 108 references."""
    value = ['x'] * 9
    for _ in range(11):
        value = [value] * 9
    return value


def storage(size, stride, numel=4):
    """The pickle of a tensor of that size over a storage that says it has ``numel`` floats."""
    class Storage:
        pass

    class Pickler(pickle._Pickler):
        def persistent_id(self, obj):
            return obj.name if isinstance(obj, Storage) else None

    place = Storage()
    place.name = 'storage', torch.FloatStorage, '0', 'cpu', numel
    data, file = io.BytesIO(), io.BytesIO()
    Pickler(data, 2).dump(dict(state_dict=dict(a=made(
        torch._utils._rebuild_tensor_v2, place, 0, size, stride, False, OrderedDict()))))
    with zipfile.ZipFile(file, 'w') as archive:
        for name, content in (('data.pkl', data.getvalue()), ('version', '3\n'),
                              ('byteorder', 'little'), ('data/0', bytes(16))):
            archive.writestr(f'archive/{name}', content)
    return file.getvalue()


def history(state):
    return dict(message_hub=dict(log_scalars=dict(a=made(HistoryBuffer, state=state))))


REFUSED = {
    'holds itself': holding_itself, 'deep': deep, 'repeated': repeated,
    'sparse': lambda: torch.ones(2).to_sparse(), 'csr': lambda: torch.ones(2, 2).to_sparse_csr(),
    'quantized': lambda: torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8),
    'no memory': lambda: torch.ones(2, device='meta'),
    'nested': lambda: torch.nested.nested_tensor([torch.ones(1), torch.ones(2)]),
    'a class': lambda: Counter, 'unfinished array': lambda: made(np.ndarray),
    'key of tensors': lambda: {torch.ones(1): 1},
    'log of a number': lambda: history(5), 'log of text': lambda: history(dict(_log_history='x')),
    'log of nothing': lambda: history(dict(_max_length=None, max_length={})),
    'log of itself': lambda: history(holding_itself()),
    'memory': lambda: made(bytearray, 10 ** 15),
}


def written(value, path) -> str:
    torch.save(dict(state_dict=dict(weight=torch.ones(1)), x=value), path)
    return str(path)


@pytest.mark.filterwarnings('ignore:Sparse CSR', 'ignore:The PyTorch API of nested',
                            'ignore:.*[Qq]uantiz', 'ignore:TypedStorage')
@pytest.mark.parametrize('name', REFUSED)
def test_what_would_fail_later_is_refused_by_its_place(name, tmp_path):
    path = written(REFUSED[name](), tmp_path / 'a.pth')
    with pytest.raises(CheckpointError, match='is refused|is damaged') as caught:
        load_checkpoint(path)
    assert name == 'memory' or 'x' in caught.value.what


def test_terabytes_in_sixteen_bytes(tmp_path):
    path = tmp_path / 'a.pth'
    path.write_bytes(storage((10 ** 6, 10 ** 6), (0, 0)))
    with pytest.raises(CheckpointError, match=r"state_dict\['a'\] is a tensor of 4\d{12} bytes"):
        load_checkpoint(path)
    path.write_bytes(storage((2, 4), (0, 1)))  # an expanded tensor is one
    assert load_checkpoint(path)['state_dict']['a'].tolist() == [[0] * 4] * 2
    for size, stride, numel in (((10 ** 9,), (1,), 10 ** 9), ((5,), (1,), 4), ((4,), (-1,), 4)):
        path.write_bytes(storage(size, stride, numel))
        with pytest.raises(CheckpointError, match='is damaged'):
            load_checkpoint(path)


def test_attributes_hide_nothing(tmp_path):
    state = made(OrderedDict, [('weight', torch.ones(1, 1)), ('bias', torch.ones(1))], state=dict(
        items=1, keys=2, copy=3, _metadata={
            '': dict(version=1, assign_to_params_buffers=True), 'a': 3, 'b': dict(version='x')}))
    weight = made(torch._utils._rebuild_parameter_with_state, torch.ones(1), True, OrderedDict(),
                  dict(detach=1, clone=2, copy_=3))
    torch.save(dict(state_dict=state, weight=weight), tmp_path / 'a.pth')
    loaded = load_checkpoint(tmp_path / 'a.pth')
    assert vars(loaded['state_dict']) == dict(_metadata={'': dict(version=1)})
    assert vars(loaded['weight']) == {}
    assert loaded['weight'].clone().tolist() == [1]
    nn.Linear(1, 1).load_state_dict(loaded['state_dict'])


def test_what_is_plain_stays():
    shared = torch.ones(2)
    value = dict(a=shared, b=[shared, (1, 2.5, None, True, b'x', 1j)], c=Counter(x=2),
                 d=OrderedDict(y={1, 2}), e=torch.Size([1]), f=torch.float16,
                 g=nn.Parameter(shared))
    copy = plain(value)
    assert copy['a'] is copy['b'][0]
    assert copy['b'][1:] == value['b'][1:]
    assert [copy[k] for k in 'cdef'] == [Counter(x=2), OrderedDict(y={1, 2}), (1,), torch.float16]
    assert [type(copy[k]) for k in 'cdeg'] == [Counter, OrderedDict, tuple, torch.Tensor]
    assert copy['g'].data_ptr() == shared.data_ptr()
    with pytest.raises(NotPlain, match=r"^a\['b'\]\[1\] is .*object.*more than data"):
        plain(dict(a=dict(b=[1, object()])))


def test_a_sound_meta():
    def of(**meta):
        return sound_meta(dict(meta=meta))['meta']

    good = dict(classes=('a', 'b'), palette=[[0, 1, 2], (3, 4, 255)], cfg='{}', versions={}, x=5,
                CLASSES=None, dataset_meta=dict(classes=['a']))
    assert of(**good) == good
    assert of(classes=5, palette='x', cfg=3, versions=[], dataset_meta=7) == dict(dataset_meta={})
    assert of(classes=['a', 3], palette=[[1, 2]], CLASSES='ab', PALETTE=[[0, 0, 256]]) == {}
    assert of(classes=np.array(['a', 'b']), palette=torch.ones(2, 3, dtype=torch.uint8)) == dict(
        classes=['a', 'b'], palette=[[1, 1, 1]] * 2)
    assert sound_meta(dict(meta=[1])) == dict(meta={})
    assert sound_meta(dict(meta=torch.ones(1)))['meta'].tolist() == [1]  # a layer of that name


def test_a_schedule_of_mmengine_comes_without_its_function(tmp_path):
    """Plain torch.save of the state, as mmengine writes it."""
    def schedule(anneal_strategy, total_steps=10):
        optimizer = torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=0.1)
        return OneCycleLR(optimizer, eta_max=1., total_steps=total_steps,
                          anneal_strategy=anneal_strategy)

    for strategy in ('cos', 'linear'):
        torch.save(dict(param_schedulers=[schedule(strategy).state_dict()]), tmp_path / 'a.pth')
        (state,) = load_checkpoint(tmp_path / 'a.pth')['param_schedulers']
        assert 'anneal_func' not in state
        resumed = schedule(strategy, total_steps=20)
        resumed.load_state_dict(state)
        assert resumed.total_steps == 10
        resumed.optimizer.step()
        resumed.step()
    with pytest.raises(CheckpointError, match='it would call|not data'):
        load_checkpoint(written(made(getattr, OneCycleParamScheduler, '__init_subclass__'),
                                tmp_path / 'b.pth'))
