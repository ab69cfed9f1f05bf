# Scenes: what stands where depends on (seed, split, index) alone.

import pytest

from segplug.datasets.minicity.scene import build_scene


def test_the_same_keys_give_the_same_scene():
    assert build_scene(3, 'train', 5) == build_scene(3, 'train', 5)


@pytest.mark.parametrize('other', [(4, 'train', 5), (3, 'val', 5), (3, 'train', 6)])
def test_every_key_changes_the_scene(other):
    assert build_scene(3, 'train', 5) != build_scene(*other)


def test_things_are_sorted_from_far_to_near():
    places = [thing.g for thing in build_scene(0, 'val', 0).things]
    assert places == sorted(places)
    assert len(places) > 5


def test_the_large_vehicles_take_turns():
    # the first large vehicle is (bus, train, truck)[(seed + index) % 3]
    for index, kind in enumerate(('bus', 'train', 'truck')):
        assert kind in {thing.kind for thing in build_scene(0, 'train', index).things}
