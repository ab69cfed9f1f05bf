# What stands where in a frame: light, ground bands, the two sides of the street, and the things on
# it. A scene depends on (seed, split, index) alone; its measures are integers (mm on the ground,
# units in the picture), so no pixel size enters.

from dataclasses import dataclass, field

from segplug.datasets.minicity.canvas import CAMERA, UNITS_X, depth
from segplug.datasets.minicity.draws import Stream

SPLITS = ('train', 'val', 'test')

# sky at the top, sky at the horizon, gain of red, green, blue (256 is 1), haze
_HOURS = (
    ((78, 134, 205), (188, 214, 236), (262, 262, 258), 12),  # noon
    ((160, 168, 176), (206, 209, 211), (226, 232, 240), 22),  # overcast
    ((112, 142, 190), (246, 206, 158), (276, 244, 206), 18),  # golden hour
    ((58, 66, 112), (222, 150, 122), (200, 178, 196), 16),  # dusk
    ((190, 194, 192), (216, 216, 208), (240, 240, 234), 60),  # haze
    ((126, 116, 118), (196, 178, 164), (232, 220, 210), 30),  # before rain
)


@dataclass(frozen=True)
class Band:
    """A strip of ground of one kind, left..right mm from the camera's axis."""

    kind: str
    left: int
    right: int


@dataclass(frozen=True)
class Segment:
    """A piece of a side of the street: a plane at x mm, from z_near to z_far mm, top mm high."""

    kind: str
    x: int
    z_near: int
    z_far: int
    top: int
    style: int


@dataclass(frozen=True)
class Thing:
    """Something that stands on the ground at g, from left to right mm, top mm high and, along the
    street, length mm long."""

    kind: str
    left: int
    right: int
    g: int
    top: int
    style: int
    length: int = 0


@dataclass
class Scene:
    horizon: int
    vanish: int
    sky: tuple
    fog_colour: tuple
    gain: tuple
    haze: int
    lights: tuple  # of the left and the right side, 256 is full
    sun: int  # -1 left, 1 right, 0 hidden
    style: int
    bands: list = field(default_factory=list)
    segments: list = field(default_factory=list)
    things: list = field(default_factory=list)


# kind: width, top, length in mm (of a vehicle along the street)
_VEHICLES = {
    'car': (1850, 1500, 4300),
    'truck': (2500, 3500, 8200),
    'bus': (2550, 3150, 11500),
    'train': (2800, 3700, 26000),
}
# kind: width, top in mm
_UPRIGHT = {
    'person': (800, 1780),
    'cyclist': (1850, 1850),
    'motorcyclist': (2150, 1780),
    'bicycle': (1850, 1150),
    'motorcycle': (2150, 1250),
    'traffic light': (900, 4100),
    'traffic sign': (1900, 3500),
    'pole': (700, 7500),
    'tree': (4200, 7000),
    'static': (1100, 1150),
    'dynamic': (900, 950),
}


def build_scene(seed, split, index):
    """The Scene of frame `index` of a split ('train', 'val' or 'test')."""
    draw = Stream(seed, SPLITS.index(split), index)
    scene = _light(draw)
    edges = _ground(scene, draw)
    for side in (-1, 1):
        _side(scene, draw, side, edges[side > 0])
    _traffic(scene, draw, index + seed)
    _pavement(scene, draw)
    scene.things.sort(key=lambda thing: thing.g)
    return scene


def _light(draw):
    top, low, gain, haze = draw.pick(_HOURS)
    sun = draw.pick((-1, 0, 1))
    bright, dim = 256, draw.between(150, 200)
    lights = (bright, bright) if sun == 0 else (dim, bright) if sun < 0 else (bright, dim)
    exposure = draw.between(222, 284)
    return Scene(
        horizon=draw.between(1350, 2000),
        vanish=UNITS_X // 2 + draw.between(-1300, 1300),
        sky=(draw.jitter(top, 24), draw.jitter(low, 18)),
        fog_colour=draw.jitter(low, 10),
        gain=tuple(channel * exposure >> 8 for channel in _balance(draw, gain)),
        haze=haze,
        lights=lights,
        sun=sun,
        style=draw.bits(),
    )


def _balance(draw, gain):
    # the camera's white balance errs, so that no class keeps a colour
    return tuple(channel + draw.between(-26, 26) for channel in gain)


def _ground(scene, draw):
    # from the middle outwards: road, then pavement and grass in either order; returns where the
    # sides of the street stand
    ends = []
    for side in (-1, 1):
        at = draw.between(1900, 4800)
        order = draw.pick(
            (('sidewalk',), ('sidewalk', 'terrain'), ('terrain', 'sidewalk'), ('terrain',))
        )
        if draw.chance(15):
            order = ('parking', *order)
        scene.bands.append(Band('road', *sorted((0, side * at))))
        for kind in order:
            width = draw.between(2200, 4200) if kind != 'parking' else 2300
            scene.bands.append(Band(kind, *sorted((side * at, side * (at + width)))))
            at += width
        outside = draw.pick(('terrain', 'sidewalk', 'ground'))
        scene.bands.append(Band(outside, *sorted((side * at, side * 90000))))
        ends.append(at)
    return ends


def _side(scene, draw, side, edge):
    # a far row behind, then a near row of facades, walls, fences and hedges with gaps
    for x, kinds in (
        (side * (edge + 9000), ('building', 'hedge', 'building')),
        (side * edge, ('building', 'wall', 'fence', 'building', 'hedge', 'wall', 'fence', 'gap')),
    ):
        # from beyond the picture's edge, wherever the vanishing point is
        z = depth((UNITS_X // 2 + 1400) * CAMERA // abs(x))
        while z < 120000:
            kind, length = draw.pick(kinds), draw.between(5000, 9000) * (1 + z // 30000)
            low, high = {
                'building': (6000, 17000),
                'wall': (1900, 3000),
                'fence': (1700, 2500),
                'hedge': (1800, 8000),
                'gap': (1, 1),
            }[kind]
            if kind != 'gap':
                scene.segments.append(
                    Segment(kind, x, z, z + length, draw.between(low, high), draw.bits())
                )
            z += length


def _box(scene, thing):
    # (x0, x1, y0, y1) in units; the far end of something long counts too
    far = depth(depth(thing.g) + thing.length) if thing.length else thing.g
    xs = [
        scene.vanish + edge * g // CAMERA
        for edge in (thing.left, thing.right)
        for g in (thing.g, far)
    ]
    return (
        max(min(xs), 0),
        min(max(xs), UNITS_X),
        scene.horizon + thing.g - thing.top * thing.g // CAMERA,
        scene.horizon + thing.g,
    )


def _covered(scene, thing):
    """The largest part, in percent, of two things' farther one that the nearer hides; 100 when
    little is in the picture."""
    worst, box = 0, _box(scene, thing)
    if box[1] - box[0] < thing.top * thing.g // CAMERA // 8:
        return 100
    for other in scene.things:
        beside = _box(scene, other)
        far = box if thing.g < other.g else beside
        wide = min(box[1], beside[1]) - max(box[0], beside[0])
        high = min(box[3], beside[3]) - max(box[2], beside[2])
        if wide > 0 and high > 0:
            worst = max(worst, 100 * wide * high // max(1, (far[1] - far[0]) * (far[3] - far[2])))
    return worst


def _place(scene, propose, *, tries=8):
    # the first of `tries` proposals that hides little, else the best of them; none when even that
    # hides most of something
    best, least = None, 70
    for _ in range(tries):
        thing = propose()
        covered = _covered(scene, thing)
        if covered < least:
            best, least = thing, covered
        if covered < 25:
            break
    if best is not None:
        scene.things.append(best)
    return best


def _traffic(scene, draw, turn):
    # one large vehicle in turn, so that none is rare, perhaps a second, then cars
    kinds = ('bus', 'train', 'truck')
    large = [kinds[turn % 3]]
    if draw.chance(55):
        large.append(kinds[(turn + draw.between(1, 2)) % 3])
    for kind in large + ['car'] * draw.between(2, 4):
        placed = _place(scene, lambda kind=kind: _vehicle(scene, draw, kind))
        if placed and kind == 'train':
            _rails(scene, placed)


def _vehicle(scene, draw, kind):
    width, top, length = _VEHICLES[kind]
    style = draw.bits()
    # across the street, its flank square to the camera, or along it
    if draw.chance(40 if kind == 'car' else 50):
        g = draw.between(380, 620) if kind != 'car' else draw.between(450, 900)
        seen = min(length, 17000)
        left = draw.between(-4000, 4000) * 900 // g - seen // 2
        return Thing(kind, left, left + seen, g, top, style)
    g = draw.between(480, 900) if kind != 'car' else draw.between(480, 1200)
    middle = draw.pick((-1, 1)) * draw.between(1900, 3900)
    return Thing(kind, middle - width // 2, middle + width // 2, g, top, style, length)


def _rails(scene, train):
    if train.length:
        scene.bands.append(Band('rail track', train.left + 300, train.right - 300))
    else:
        scene.bands.append(Band('cross track', depth(train.g) - 900, depth(train.g) + 1300))


def _pavement(scene, draw):
    # what is upright and square to the camera; riders and parked two-wheelers in turn
    wheels = draw.pick((('cyclist', 'motorcycle'), ('motorcyclist', 'bicycle')))
    kinds = [*wheels, 'traffic light', 'traffic sign', 'pole', 'pole', 'person', 'person']
    extra = (
        ('person', 70),
        ('person', 40),
        ('traffic sign', 50),
        ('traffic light', 40),
        ('pole', 50),
        ('tree', 50),
        ('tree', 30),
        ('cyclist', 45),
        ('motorcyclist', 45),
        ('bicycle', 25),
        ('motorcycle', 25),
        ('static', 35),
        ('dynamic', 25),
    )
    kinds += [kind for kind, percent in extra if draw.chance(percent)]
    for kind in kinds:
        _place(scene, lambda kind=kind: _upright(draw, kind))


def _upright(draw, kind):
    width, top = _UPRIGHT[kind]
    g = draw.between(560, 1350)
    if kind in ('traffic light', 'traffic sign', 'pole', 'tree'):
        g = draw.between(620, 1000)
        middle = draw.between(-6200, 6200) * 800 // g
        if kind in ('traffic light', 'traffic sign'):
            top = top * draw.between(68, 104) // 100
    else:
        middle = draw.between(-4300, 4300) * 1250 // g
    top = top * draw.between(92, 106) // 100
    return Thing(kind, middle - width // 2, middle + width // 2, g, top, draw.bits())
