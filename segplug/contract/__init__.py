"""Contracts: what a component of each kind keeps, ours and anybody's, as functions that raise.

`tests/contract/` calls them for every component of segplug, and ``segplug plugins check`` for those
of a third party. `case` says what a check is, a file per kind holds its checks, and `kinds` knows
them all. `package` finds what a third party registers, `guesses` how it may be made, `checking`
runs the checks, and `table` tells what came of them.
"""

from .case import Case, Check, ContractError, Skipped
from .checking import Result, check_package, is_kept
from .table import table

__all__ = ['Case', 'Check', 'ContractError', 'Result', 'Skipped', 'check_package', 'is_kept',
           'table']
