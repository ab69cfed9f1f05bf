"""mmengine's classes that shard a model wait until they are used, and are then mmengine's own."""

import subprocess
import sys

START = """
import inspect, sys
import torch
import segplug.engine
from mmengine.model import MMFullyShardedDataParallel as Early, is_model_wrapper
from mmengine.registry import MODEL_WRAPPERS, OPTIMIZERS, STRATEGIES
NAME = 'MMFullyShardedDataParallel'
assert 'torch.distributed.fsdp' not in sys.modules
assert 'torch.distributed.optim' not in sys.modules
"""


def run(code: str) -> None:
    done = subprocess.run([sys.executable, '-W', 'error::DeprecationWarning', '-c', START + code],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_what_needs_no_class_imports_none():
    run("""
assert not is_model_wrapper(torch.nn.Linear(1, 1))
assert not isinstance(torch.nn.Linear(1, 1), Early) and not issubclass(int, Early)
assert inspect.isclass(Early) and issubclass(Early, Early)
assert MODEL_WRAPPERS.get(NAME) is Early and NAME in MODEL_WRAPPERS.module_dict
assert OPTIMIZERS.get('ZeroRedundancyOptimizer') and STRATEGIES.get('FSDPStrategy')
assert not issubclass(Early, torch.nn.parallel.DistributedDataParallel)
assert 'torch.distributed.fsdp' not in sys.modules
""")


def test_the_class_takes_every_place_of_its_name():
    run("""
assert 'module' in inspect.signature(Early).parameters
import mmengine.model, mmengine.model.wrappers
from torch.distributed.fsdp import FullyShardedDataParallel
real = mmengine.model.MMFullyShardedDataParallel
assert type(real) is type and issubclass(real, FullyShardedDataParallel)
assert real is mmengine.model.wrappers.MMFullyShardedDataParallel is MODEL_WRAPPERS.get(NAME)
assert sys.modules[real.__module__].MMFullyShardedDataParallel is real
assert Early.train_step is real.train_step and issubclass(real, Early)
assert isinstance(real.__new__(real), Early)
import mmengine._strategy.fsdp as strategy
assert strategy.FSDP is FullyShardedDataParallel
assert STRATEGIES.get('FSDPStrategy') is strategy.FSDPStrategy
""")


def test_a_class_is_inherited_and_an_optimizer_made():
    run("""
class Mine(Early, torch.nn.Module):
    def __init__(self):
        super(Early.__mro__[1], self).__init__()

    def train_step(self):
        return super().train_step
assert Mine.__mro__[1] is MODEL_WRAPPERS.get(NAME) and issubclass(Mine, Early)
from mmengine.optim import ZeroRedundancyOptimizer
try:
    ZeroRedundancyOptimizer([torch.nn.Parameter(torch.ones(1))], 'SGD', lr=1.)
except (ValueError, RuntimeError) as error:  # torch's: there is no process group
    assert 'roup' in str(error), error
else:
    raise AssertionError
from torch.distributed.optim import ZeroRedundancyOptimizer as torchs
assert issubclass(OPTIMIZERS.get('ZeroRedundancyOptimizer'), torchs)
""")


def test_a_model_is_sharded(tmp_path):
    """w = 1 and x = (1, 1, 1): the loss is 3 + 3, its gradient (2, 2, 2), and w = 0.8 then."""
    run(f"""
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper
torch.distributed.init_process_group('gloo', init_method='file://{tmp_path}/store', rank=0,
                                     world_size=1)
from torch.distributed.fsdp import FullyShardedDataParallel
try:
    FullyShardedDataParallel(torch.nn.Linear(1, 1), device_id=torch.device('cpu'))
except (RuntimeError, AttributeError):
    sys.exit()  # a torch that shards nothing on a CPU

class Net(BaseModel):
    def __init__(self):
        super().__init__()
        self.w = torch.nn.Parameter(torch.ones(3))

    def forward(self, inputs, data_samples=None, mode='tensor'):
        return dict(loss=(self.w * inputs).sum())

net = MODEL_WRAPPERS.build(dict(type=NAME, module=Net(), device_id=torch.device('cpu')))
assert isinstance(net, Early) and isinstance(net, FullyShardedDataParallel)
assert is_model_wrapper(net)
step = OptimWrapper(torch.optim.SGD(net.parameters(), lr=0.1))
losses = net.train_step(dict(inputs=torch.full((2, 3), 1.)), step)
assert losses['loss'].item() == 6., losses
assert torch.equal(next(net.parameters()), torch.tensor([.8, .8, .8])), list(net.parameters())
torch.distributed.destroy_process_group()
""")


def test_what_was_imported_before_is_left_alone():
    done = subprocess.run([sys.executable, '-W', 'ignore', '-c', """
from mmengine.model import MMFullyShardedDataParallel as real
import segplug.engine
import mmengine.model
assert type(real) is type and mmengine.model.MMFullyShardedDataParallel is real
"""], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
