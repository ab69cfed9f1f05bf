# One frame of a mini city: the scene's parts painted from far to near, then what light and the
# camera do to them.

import numpy as np

from segplug.datasets.minicity.canvas import Canvas
from segplug.datasets.minicity.draws import hash_grid
from segplug.datasets.minicity.ground import draw_frame, draw_ground, draw_sky
from segplug.datasets.minicity.scene import build_scene
from segplug.datasets.minicity.sides import draw_backdrop, draw_segment
from segplug.datasets.minicity.upright import draw_upright
from segplug.datasets.minicity.vehicles import draw_vehicle


def render_frame(seed, split, index, size):
    """Picture and labels of one frame.

    Args:
        seed: The seed of the city, an int.
        split: 'train', 'val' or 'test'.
        index: Which frame of the split, from 0.
        size: (width, height) in pixels.

    Returns:
        (image, label, instance): (H, W, 3) uint8 RGB, (H, W) uint8 label ids of Cityscapes, (H, W)
        uint16 instance ids (label id * 1000 + n for a class with instances, else the label id).
    """
    scene = build_scene(seed, split, index)
    canvas = Canvas(*size, scene)
    draw_sky(canvas, scene)
    draw_backdrop(canvas, scene)
    draw_ground(canvas, scene)
    for segment in sorted(scene.segments, key=lambda s: (-abs(s.x), -s.z_near)):
        draw_segment(canvas, segment)
    numbers = _Numbers()
    for thing in scene.things:
        if thing.kind in ('car', 'truck', 'bus', 'train'):
            draw_vehicle(canvas, thing, numbers(thing.kind))
        else:
            draw_upright(canvas, thing, numbers)
    draw_frame(canvas, scene)
    return _develop(canvas, scene), canvas.label, canvas.instance


class _Numbers:
    """Instance numbers, 0, 1, 2, ... for each class."""

    def __init__(self):
        self._next = {}

    def __call__(self, name):
        number = self._next.get(name, 0)
        self._next[name] = number + 1
        return number


def _develop(canvas, scene):
    # gain of the hour, a soft lens (1 2 1 both ways), noise; (3, H, W) int16 -> (H, W, 3) uint8
    height, width = canvas.label.shape
    grain = hash_grid(np.arange(height)[:, None], np.arange(width)[None, :], scene.style)
    image = np.empty((height, width, 3), np.uint8)
    for channel, gain in enumerate(scene.gain):
        # four times the value, so that the lens does not round it away
        plane = np.clip(canvas.rgb[channel], 0, 400).astype(np.int32) * gain >> 6
        plane[1:-1] = (plane[:-2] + 2 * plane[1:-1] + plane[2:]) >> 2
        plane[:, 1:-1] = (plane[:, :-2] + 2 * plane[:, 1:-1] + plane[:, 2:]) >> 2
        # the sum of two evenly drawn numbers: triangular noise, -15..15
        pair = (grain >> np.uint32(8 * channel)).astype(np.int32) & 255
        noise = (pair & 15) + (pair >> 4) - 15
        image[:, :, channel] = np.clip((plane + 2 * noise + 2) >> 2, 0, 255)
    return image
