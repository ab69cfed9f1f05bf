"""Where curves and pictures of a training go besides the disk; importing this fills VISBACKENDS."""

from .guard import Guard, Tracker, check_installed
from .mlflow_backend import MLflowVisBackend
from .tensorboard_backend import TensorboardVisBackend
from .wandb_backend import WandbVisBackend

__all__ = ['Guard', 'MLflowVisBackend', 'TensorboardVisBackend', 'Tracker', 'WandbVisBackend',
           'check_installed']
