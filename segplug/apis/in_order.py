"""Work done ahead of the one who needs it, in threads, in order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor


def in_order(function: Callable, items: Iterable, workers: int) -> Iterator:
    """``function`` of each item, in order, from threads that are two items each ahead at most.

    Where ``items`` raises, those before are still done.
    """
    waiting, failure, items = deque(), None, iter(items)
    with ThreadPoolExecutor(workers) as pool:
        try:
            while failure is None:
                try:
                    waiting.append(pool.submit(function, next(items)))
                except Exception as error:  # StopIteration too
                    failure = error
                if len(waiting) > 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
            if not isinstance(failure, StopIteration):
                raise failure
        finally:  # who stops early does not wait for what is not begun
            for future in waiting:
                future.cancel()
