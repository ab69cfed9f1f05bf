"""mmengine's classes that shard a model, imported when somebody uses one.

mmengine 0.10.7 imports torch's FSDP and its distributed optimizers, half a second, to define three
classes that few trainings use. Here each name stands for its class until that is called, inherited
from or looked into; then mmengine's own module runs, and the class takes the name's places. A
class that is not defined has no instances, so ``isinstance`` needs nothing. Where mmengine was
imported before, nothing is changed. Tests: ``tests/compat/test_sharding.py``.
"""

import importlib.machinery
import importlib.util
import inspect
import sys
import threading
import types
from abc import ABCMeta

# module -> (its class, the registry, who else has imported it)
_LATE = {
    'mmengine.optim.optimizer.zero_optimizer':
        ('ZeroRedundancyOptimizer', 'OPTIMIZERS', ('mmengine.optim.optimizer', 'mmengine.optim')),
    'mmengine.model.wrappers.fully_sharded_distributed':
        ('MMFullyShardedDataParallel', 'MODEL_WRAPPERS',
         ('mmengine.model.wrappers', 'mmengine.model')),
    'mmengine._strategy.fsdp': ('FSDPStrategy', 'STRATEGIES', ('mmengine._strategy',)),
}
_lock = threading.RLock()
_real: dict[str, type] = {}  # by module


def import_later() -> None:
    """Let the names wait, where mmengine's packages that define them are yet to be imported."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _Late(ABCMeta):
    """The type of a name that stands for a class; ABCMeta's, as one of the classes' is."""

    def __new__(mcs, name: str, bases: tuple, namespace: dict, **keywords):
        real = tuple(_load(base) if type(base) is _Late else base for base in bases)
        if real != bases:
            return types.new_class(name, real, keywords, lambda into: into.update(namespace))
        return super().__new__(mcs, name, bases, namespace, **keywords)

    def __init__(cls, name: str, bases: tuple, namespace: dict, **keywords) -> None:
        super().__init__(name, bases, namespace)

    def __call__(cls, *args, **kwargs):
        return _load(cls)(*args, **kwargs)

    def __getattr__(cls, name: str):
        return getattr(_load(cls), name)

    @property
    def __signature__(cls) -> inspect.Signature:
        return inspect.signature(_load(cls))

    def __instancecheck__(cls, instance) -> bool:
        real = _real.get(cls.__module__)
        return real is not None and isinstance(instance, real)

    def __subclasscheck__(cls, subclass) -> bool:
        real = _real.get(cls.__module__)
        return subclass is cls or (real is not None and issubclass(subclass, real))


class _Finder:
    """Finds the modules of `_LATE`, for the package that each is a part of."""

    def find_spec(self, name: str, path=None, target=None):
        if name not in _LATE:
            return None
        parent = sys.modules.get(name.rpartition('.')[0])
        if not getattr(getattr(parent, '__spec__', None), '_initializing', False):
            return None
        return importlib.util.spec_from_loader(name, _Loader(path))


class _Loader:
    """Makes a module of one name; its other names are there when one is asked for."""

    def __init__(self, path) -> None:
        self.path = path

    def create_module(self, spec) -> None:
        return None

    def exec_module(self, module: types.ModuleType) -> None:
        title, registry, _ = _LATE[module.__name__]
        cls = _Late(title, (), dict(__module__=module.__name__))
        registry = getattr(sys.modules['mmengine.registry'], registry)
        registry.register_module(module=cls)

        def get(name: str):
            if name.startswith('__'):
                raise AttributeError(f'module {module.__name__!r} has no attribute {name!r}')
            _load(cls)
            return vars(module)[name] if name in vars(module) else module.__getattribute__(name)

        vars(module).update({title: cls, '__getattr__': get, '_segplug_path': self.path})


def _load(cls: _Late) -> type:
    """The class that a name stands for."""
    with _lock:
        if cls.__module__ not in _real:
            _run(cls)
        return _real[cls.__module__]


def _run(cls: _Late) -> None:
    """Run mmengine's module in its place, and give the class the places of the name."""
    from .upstream import import_quietly
    name, (title, registry, importers) = cls.__module__, _LATE[cls.__module__]
    import_quietly('torch.distributed.optim')
    module = sys.modules[name]
    registered = getattr(sys.modules['mmengine.registry'], registry)._module_dict
    registered.pop(title)
    before = {key: vars(module).pop(key) for key in (title, '__getattr__', '_segplug_path')}
    spec = importlib.machinery.PathFinder.find_spec(name, before['_segplug_path'])
    try:
        spec.loader.exec_module(module)
    except BaseException:
        vars(module).update(before)
        registered[title] = cls
        raise
    module.__spec__, module.__loader__, module.__file__ = spec, spec.loader, spec.origin
    _real[name] = vars(module)[title]
    for importer in importers:
        if vars(sys.modules.get(importer, module)).get(title) is cls:
            setattr(sys.modules[importer], title, _real[name])
