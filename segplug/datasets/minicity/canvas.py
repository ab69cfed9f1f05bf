# Integer drawing in perspective. The picture is measured in units (8192 wide, 4096 high, whatever
# its pixels), the street in millimetres. On a Face every pixel knows its place on a surface:
#   frontal  a: along the surface, h: above the ground      (an object seen square on)
#   side     a: away from the camera, h: above the ground   (a flank parallel to the street)
#   ground   a: right of the camera, h: away from the camera
# g is how many units below the horizon something touches the ground: 1 mm there is g / CAMERA.

import numpy as np

from segplug.datasets.minicity.labels import LABELS

UNITS_X, UNITS_Y = 8192, 4096
CAMERA = 1600  # height of the camera, mm
FOCAL = 4500  # units
_SMALLEST_G = 40  # nearer to the horizon perspective stops (Z = 180 m)


def depth(g):
    """Distance in mm of the ground that lies g units below the horizon; its own inverse."""
    return FOCAL * CAMERA // g


class Face:
    """A window of a canvas with surface coordinates.

    a, h: int32 arrays in mm that broadcast to the window's (rows, columns); fog: 0..256, scalar or
        array; light: 256 is full.
    """

    def __init__(self, canvas, rows, cols, a, h, fog, light=256):
        self.canvas, self.rows, self.cols = canvas, rows, cols
        self.a, self.h, self.fog, self.light = a, h, fog, light

    def paint(self, mask, colour, shade=256):
        """Colour the pixels of mask with colour * shade / 256, dimmed by the face's light and
        veiled by its fog."""
        view = self.canvas.rgb[:, self.rows, self.cols]
        shade = shade * self.light >> 8
        for plane, value, fog in zip(view, colour, self.canvas.fog_colour, strict=True):
            value = value * shade >> 8
            value = value + ((fog - value) * self.fog >> 8)
            np.copyto(plane, value, where=mask, casting='unsafe')

    def tag(self, mask, name, number=None):
        """Label the pixels of mask; `number` is the instance of a class that has instances."""
        label_id = LABELS[name][0]
        instance = label_id if number is None else label_id * 1000 + number
        np.copyto(self.canvas.label[self.rows, self.cols], label_id, where=mask, casting='unsafe')
        np.copyto(
            self.canvas.instance[self.rows, self.cols], instance, where=mask, casting='unsafe'
        )

    def darken(self, mask, shade):
        """Multiply what is already painted by shade / 256."""
        view = self.canvas.rgb[:, self.rows, self.cols]
        np.copyto(view, (view.astype(np.int32) * shade) >> 8, where=mask, casting='unsafe')

    def box(self, a0, a1, h0, h1):
        return (self.a >= a0) & (self.a < a1) & (self.h >= h0) & (self.h < h1)

    def distance(self, a, h, radius_a, radius_h):
        """Squared elliptic distance from (a, h), int32: 2**20 on the ellipse with these radii."""
        da = np.clip((self.a - a) * 1024 // radius_a, -8192, 8192)
        dh = np.clip((self.h - h) * 1024 // radius_h, -8192, 8192)
        return da * da + dh * dh

    def ellipse(self, a, h, radius_a, radius_h):
        return self.distance(a, h, radius_a, radius_h) < (1 << 20)

    def bar(self, start, end, radius):
        """A straight bar from start to end, both (a, h), 2 * radius thick."""
        da, dh = end[0] - start[0], end[1] - start[1]
        length = int_sqrt(da * da + dh * dh)
        a, h = self.a - start[0], self.h - start[1]
        along, across = a * da + h * dh, a * dh - h * da
        inside = (along >= -radius * length) & (along <= (length + radius) * length)
        return inside & (np.abs(across) <= radius * length)

    def above(self, start, end):
        """Pixels above the straight line through start and end, both (a, h), with start left of
        end."""
        return (self.h - start[1]) * (end[0] - start[0]) > (self.a - start[0]) * (end[1] - start[1])


def int_sqrt(value):
    """Floor of the square root of a non-negative Python int (Newton)."""
    root = 1 << ((value.bit_length() + 1) // 2)
    while root * root > value:
        root = (root + value // root) // 2
    return max(root, 1)


class Canvas:
    """Picture, labels and instances of one frame, and the street's perspective.

    rgb (3, H, W) int16; label (H, W) uint8 label ids; instance (H, W) uint16.
    """

    def __init__(self, width, height, scene):
        self.rgb = np.zeros((3, height, width), np.int16)
        self.label = np.zeros((height, width), np.uint8)
        self.instance = np.zeros((height, width), np.uint16)
        self.ux = ((2 * np.arange(width, dtype=np.int64) + 1) * UNITS_X // (2 * width)).astype(
            np.int32
        )
        self.uy = ((2 * np.arange(height, dtype=np.int64) + 1) * UNITS_Y // (2 * height)).astype(
            np.int32
        )
        self.horizon, self.vanish = scene.horizon, scene.vanish
        self.fog_colour, self.haze, self.lights = scene.fog_colour, scene.haze, scene.lights

    def _rows(self, y0, y1):
        return slice(*np.searchsorted(self.uy, (y0, y1)).tolist())

    def _cols(self, x0, x1):
        return slice(*np.searchsorted(self.ux, (x0, x1)).tolist())

    def fog(self, z):
        """Veil, 0..200 of 256, at z mm (int or array)."""
        return np.minimum(z // 1000 * self.haze >> 6, 200)

    def screen(self, y0, y1):
        """All columns of the rows between y0 and y1, in plain units (a right, h down)."""
        rows = self._rows(y0, y1)
        return Face(self, rows, slice(None), self.ux[None, :], self.uy[rows, None], 0)

    def frontal(self, left, right, g, top, *, flip=False):
        """A surface square to the camera, from left to right (mm from the camera's axis), top mm
        high, standing at g."""
        x0, x1 = (self.vanish + edge * g // CAMERA for edge in (left, right))
        ground = self.horizon + g
        rows, cols = self._rows(ground - top * g // CAMERA, ground), self._cols(x0, x1)
        a = (self.ux[None, cols] - x0) * CAMERA // g
        h = (ground - self.uy[rows, None]) * CAMERA // g
        return Face(self, rows, cols, right - left - a if flip else a, h, int(self.fog(depth(g))))

    def side(self, x, z_near, z_far, top):
        """A vertical surface along the street, x mm from the camera's axis; a runs from 0 (near) to
        z_far - z_near."""
        near, far = depth(z_near), max(depth(z_far), _SMALLEST_G)
        edges = sorted(self.vanish + x * g // CAMERA for g in (near, far))
        cols = self._cols(*edges)
        tops = [g - top * g // CAMERA for g in (near, far)]
        rows = self._rows(self.horizon + min(tops), self.horizon + near)
        g16 = np.maximum(
            np.abs(self.ux[None, cols] - self.vanish) * (CAMERA * 16) // abs(x),
            _SMALLEST_G * 16,
        )
        z = FOCAL * CAMERA * 16 // g16
        h = ((self.horizon - self.uy[rows, None]) * 16 + g16) * ((CAMERA << 12) // g16) >> 12
        return Face(self, rows, cols, z - z_near, h, self.fog(z), self.lights[x > 0])

    def ground(self):
        """The plane the street lies on: every row below the horizon."""
        rows = self._rows(self.horizon, UNITS_Y)
        g = np.maximum(self.uy[rows, None] - self.horizon, 24)
        a = (self.ux[None, :] - self.vanish) * ((CAMERA << 8) // g) >> 8
        z = FOCAL * CAMERA // g
        return Face(self, rows, slice(None), a, z, self.fog(z))

    def contact_shadow(self, left, right, g):
        """Darken the ground under an object that spans left..right mm at g."""
        x0, x1 = (self.vanish + edge * g // CAMERA for edge in (left, right))
        y, half, flat = self.horizon + g, (x1 - x0) * 9 // 16 + 1, g // 12 + 1
        rows, cols = self._rows(y - flat, y + flat), self._cols(x0 - half // 4, x1 + half // 4)
        face = Face(self, rows, cols, self.ux[None, cols], self.uy[rows, None], 0)
        away = np.minimum(face.distance((x0 + x1) // 2, y, half, flat) >> 10, 1024)
        face.darken(away < 1024, 130 + (away * 126 >> 10))
