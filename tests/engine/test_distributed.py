"""Launchers, devices, threads and the torchrun command; jobs themselves run in test_runner."""

import os
import socket
import subprocess
import sys

import pytest
import torch

from segplug.engine import distributed
from segplug.engine.distributed import (
    Place,
    check_gpus,
    find_place,
    free_port,
    launch_command,
    launch_environment,
    master_address,
    pick_backend,
    training_threads,
)
from segplug.errors import ConfigError


def test_places_by_launcher():
    assert find_place('none', {}) == Place(0, 1, 0, 1)
    torchrun = dict(RANK='5', WORLD_SIZE='8', LOCAL_RANK='1', LOCAL_WORLD_SIZE='4')
    assert find_place('pytorch', torchrun) == Place(5, 8, 1, 4)
    slurm = dict(SLURM_PROCID='3', SLURM_NTASKS='7', SLURM_LOCALID='3',
                 SLURM_TASKS_PER_NODE='4(x1),3')
    assert find_place('slurm', slurm) == Place(3, 7, 3, 4)
    mpi = dict(OMPI_COMM_WORLD_RANK='1', OMPI_COMM_WORLD_SIZE='2', OMPI_COMM_WORLD_LOCAL_RANK='1',
               OMPI_COMM_WORLD_LOCAL_SIZE='2')
    assert find_place('mpi', mpi) == Place(1, 2, 1, 2)


def test_wrong_launchers_are_named():
    with pytest.raises(ConfigError, match="'torchrun' is not a known launcher"):
        find_place('torchrun', {})
    with pytest.raises(ConfigError, match=r'RANK, WORLD_SIZE, LOCAL_RANK is not set.*dist_train'):
        find_place('pytorch', {})


def test_more_processes_than_gpus(monkeypatch):
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '0,2')
    with pytest.raises(ConfigError) as caught:
        check_gpus(Place(0, 4, 0, 4), num_gpus=2)
    for part in ('4 processes', '2 visible GPUs', 'CUDA_VISIBLE_DEVICES=0,2',
                 'CUDA_VISIBLE_DEVICES=-1'):
        assert part in str(caught.value)
    check_gpus(Place(0, 8, 0, 2), num_gpus=2)
    check_gpus(Place(0, 4, 0, 4), num_gpus=0)  # the CPU has no such limit


def test_backend_follows_the_device():
    assert pick_backend(None, on_cuda=True) == 'nccl'
    assert pick_backend('gloo', on_cuda=True) == 'gloo'
    assert pick_backend(None, on_cuda=False) == 'gloo'
    assert pick_backend('nccl', on_cuda=False) == 'gloo'
    assert pick_backend('mpi', on_cuda=False) == 'mpi'


def test_meeting_point():
    one_node, two_nodes = Place(0, 2, 0, 2), Place(0, 4, 0, 2)
    # 20000 + 31234 % 20000
    assert master_address('slurm', one_node, dict(MASTER_ADDR='n1', SLURM_JOB_ID='31234')) == (
        'n1', '31234')
    assert master_address('mpi', one_node, {}) == ('127.0.0.1', '29500')
    assert master_address('mpi', one_node, dict(MASTER_PORT='1234')) == ('127.0.0.1', '1234')
    assert master_address('mpi', one_node, dict(MASTER_PORT='1234'), port=99)[1] == '99'
    with pytest.raises(ConfigError, match='MASTER_ADDR'):
        master_address('mpi', two_nodes, {})
    # One machine needs no scontrol; several without it are told what to set.
    assert master_address('slurm', one_node, dict(SLURM_NODELIST='n1'))[0] == '127.0.0.1'
    with pytest.raises(ConfigError, match=r"which machine of 'n\[1-2\]' is the first.*MASTER_ADDR"):
        master_address('slurm', two_nodes, dict(SLURM_STEP_NODELIST='n[1-2]'))


def test_training_threads(monkeypatch):
    monkeypatch.setattr(distributed, 'num_cores', lambda: 8)
    assert training_threads(None, 3, {}) == 2  # 8 // 3
    assert training_threads(None, 16, {}) == 1
    assert training_threads(None, 3, dict(OMP_NUM_THREADS='5')) == 5
    assert training_threads(7, 3, dict(OMP_NUM_THREADS='5')) == 7
    assert launch_environment(2, {}) == dict(OMP_NUM_THREADS='4', MKL_NUM_THREADS='4')
    assert launch_environment(2, dict(OMP_NUM_THREADS='3', MKL_NUM_THREADS='1', A='b')) == dict(
        OMP_NUM_THREADS='3', MKL_NUM_THREADS='1', A='b')


def test_threads_are_restored():
    before = torch.get_num_threads()
    with distributed.threads(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before


def test_free_port_can_be_bound():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', free_port()))


def test_command_for_one_node():
    run = [sys.executable, '-m', 'torch.distributed.run', '--nproc-per-node=2']
    assert launch_command(2, ['t.py', 'c.py']) == [
        *run, '--standalone', '--local-addr=localhost', 't.py', 'c.py']
    assert launch_command(2, ['t.py'], port=1234) == [
        *run, '--nnodes=1', '--node-rank=0', '--master-addr=127.0.0.1', '--master-port=1234',
        '--rdzv-conf=timeout=600', 't.py']
    assert launch_command(2, ['t.py'], max_restarts=3)[:5] == [*run, '--max-restarts=3']


def test_command_for_several_nodes():
    # Two "machines" on one, as people try the set-up; only an address left out is an error.
    assert '--master-addr=127.0.0.1' in launch_command(
        1, ['t.py'], nnodes=2, node_rank=1, master_addr='127.0.0.1')
    command = launch_command(4, ['t.py'], nnodes=2, node_rank=1, master_addr='n0')
    assert command[-6:] == ['--nnodes=2', '--node-rank=1', '--master-addr=n0',
                            '--master-port=29500', '--rdzv-conf=timeout=600', 't.py']
    with pytest.raises(ConfigError, match='MASTER_ADDR'):
        launch_command(4, ['t.py'], nnodes=2, node_rank=1)
    for wrong in (dict(nproc=0), dict(nproc=1, nnodes=2, node_rank=2)):
        with pytest.raises(ConfigError, match='makes no sense'):
            launch_command(argv=['t.py'], **wrong)


def test_init_without_a_launcher_does_nothing():
    assert distributed.init('none') == Place(0, 1, 0, 1)
    assert not torch.distributed.is_initialized()
    assert 'RANK' not in os.environ


@pytest.mark.skipif(sys.platform != 'linux', reason='reads /proc')
def test_leaving_ends_the_threads_of_the_group_though_a_model_in_a_cycle_holds_it():
    code = '''
import os, torch
from segplug.engine import distributed

class Holder: pass

def threads():
    return [open(f'/proc/self/task/{t}/comm').read().strip() for t in os.listdir('/proc/self/task')]

distributed.init('pytorch')
holder = Holder()
holder.model = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(2, 2))
holder.itself = holder
holder.model(torch.ones(1, 2)).sum().backward()
named = any('gloo' in name for name in threads())
assert named or torch.__version__ < '2.5', threads()  # torch 2.4 gives its threads no names
joined = len(threads())
del holder
distributed.leave()
assert not any('gloo' in name for name in threads()), threads()
assert len(threads()) < joined
'''
    environment = {**os.environ, 'RANK': '0', 'WORLD_SIZE': '1', 'LOCAL_RANK': '0',
                   'LOCAL_WORLD_SIZE': '1', 'MASTER_ADDR': '127.0.0.1',
                   'MASTER_PORT': str(free_port()), 'CUDA_VISIBLE_DEVICES': '-1'}
    subprocess.run([sys.executable, '-c', code], env=environment, check=True, timeout=60)
