"""PIDNet, DDRNet and STDC at small width, written out under their authors' names for weights.

Layouts: https://github.com/XuJiacong/PIDNet, https://github.com/ydhongHIT/DDRNet and
https://github.com/MichaelFan01/STDC-Seg.
"""

import torch
from torch import nn
from torch.nn import functional as F

BN, ReLU = nn.BatchNorm2d, nn.ReLU


def conv_bn(cin, cout, kernel, stride=1):
    return nn.Sequential(nn.Conv2d(cin, cout, kernel, stride, kernel // 2, bias=False), BN(cout))


def bn_conv(cin, cout, kernel, groups=1):
    return nn.Sequential(BN(cin), ReLU(), nn.Conv2d(
        cin, cout, kernel, 1, kernel // 2, groups=groups, bias=False))


def up(x, like):
    return F.interpolate(x, like.shape[2:], mode='bilinear', align_corners=False)


class Block(nn.Module):
    """Two 3x3, or 1x1, 3x3 and 1x1 to twice the width."""

    def __init__(self, cin, planes, stride=1, wide=False, act=True):
        super().__init__()
        widths = [cin, planes, planes, *([2 * planes] if wide else [])]
        kernels = (1, 3, 1) if wide else (3, 3)
        for i, kernel in enumerate(kernels):
            step = stride if i == wide else 1
            self.add_module(f'conv{i + 1}', nn.Conv2d(
                widths[i], widths[i + 1], kernel, step, kernel // 2, bias=False))
            self.add_module(f'bn{i + 1}', BN(widths[i + 1]))
        self.num, self.act = len(kernels), act
        self.downsample = conv_bn(cin, widths[-1], 1, stride) if (
            stride > 1 or cin != widths[-1]) else None

    def forward(self, x):
        out = x
        for i in range(1, self.num + 1):
            out = getattr(self, f'bn{i}')(getattr(self, f'conv{i}')(out))
            out = out.relu() if i < self.num else out
        out = out + (x if self.downsample is None else self.downsample(x))
        return out.relu() if self.act else out


def stage(cin, planes, count, stride=1, wide=False):
    cout = 2 * planes if wide else planes
    return nn.Sequential(*(Block(cout if i else cin, planes, 1 if i else stride, wide,
                                 act=not wide and (i == 0 or i < count - 1))
                           for i in range(count)))


class Pyramid(nn.Module):
    """DAPPM, or with ``parallel`` PAPPM."""

    def __init__(self, cin, width, cout, parallel=False):
        super().__init__()
        self.parallel = parallel
        self.scale0 = bn_conv(cin, width, 1)
        pools = [nn.AvgPool2d(2**(i + 1) + 1, 2**i, 2**i) for i in (1, 2, 3)]
        for i, pool in enumerate((*pools, nn.AdaptiveAvgPool2d(1)), 1):
            self.add_module(f'scale{i}', nn.Sequential(pool, *bn_conv(cin, width, 1)))
        if parallel:
            self.scale_process = bn_conv(4 * width, 4 * width, 3, groups=4)
        else:
            for i in range(1, 5):
                self.add_module(f'process{i}', bn_conv(width, width, 3))
        self.compression, self.shortcut = bn_conv(5 * width, cout, 1), bn_conv(cin, cout, 1)

    def forward(self, x):
        maps = [self.scale0(x)]
        scales = [up(getattr(self, f'scale{i}')(x), x) for i in range(1, 5)]
        if self.parallel:
            maps.append(self.scale_process(torch.cat([s + maps[0] for s in scales], 1)))
        else:
            for i, scale in enumerate(scales, 1):
                maps.append(getattr(self, f'process{i}')(scale + maps[-1]))
        return self.compression(torch.cat(maps, 1)) + self.shortcut(x)


class Head(nn.Module):
    def __init__(self, cin, width, cout):
        super().__init__()
        self.bn1, self.conv1 = BN(cin), nn.Conv2d(cin, width, 3, 1, 1, bias=False)
        self.bn2, self.conv2 = BN(width), nn.Conv2d(width, cout, 1)

    def forward(self, x):
        return self.conv2(self.bn2(self.conv1(self.bn1(x).relu())).relu())


class Pag(nn.Module):
    def __init__(self, cin, width):
        super().__init__()
        self.f_x, self.f_y = conv_bn(cin, width, 1), conv_bn(cin, width, 1)

    def forward(self, x, y):
        alike = (self.f_x(x) * up(self.f_y(y), x)).sum(1, keepdim=True).sigmoid()
        return (1 - alike) * x + alike * up(y, x)


class Bag(nn.Module):
    def __init__(self, width, light):
        super().__init__()
        self.light = light
        if light:
            self.conv_p, self.conv_i = conv_bn(width, width, 1), conv_bn(width, width, 1)
        else:
            self.conv = bn_conv(width, width, 3)

    def forward(self, p, i, d):
        edge = d.sigmoid()
        if self.light:
            return self.conv_p((1 - edge) * i + p) + self.conv_i(i + edge * p)
        return self.conv(edge * p + (1 - edge) * i)


class Branches(nn.Module):
    """What both networks begin with; the stem's convolutions have a bias."""

    def __init__(self, c, m):
        super().__init__()
        self.conv1 = nn.Sequential(nn.Conv2d(3, c, 3, 2, 1), BN(c), ReLU(),
                                   nn.Conv2d(c, c, 3, 2, 1), BN(c), ReLU())
        self.layer1, self.layer2 = stage(c, c, m), stage(c, 2 * c, m, 2)
        self.compression3 = conv_bn(4 * c, 2 * c, 1)
        self.compression4 = conv_bn(8 * c, 2 * c, 1)
        self.layer3_, self.layer4_ = stage(2 * c, 2 * c, m), stage(2 * c, 2 * c, m)
        self.layer5_ = stage(2 * c, 2 * c, 1, wide=True)

    def stem(self, x):
        return self.layer2(self.layer1(self.conv1(x)).relu()).relu()


class PIDNet(Branches):
    """``large``: as PIDNet-L, else as -S."""

    def __init__(self, c=8, ppm=8, width=16, classes=5, large=False):
        m, n = (3, 4) if large else (2, 3)
        super().__init__(c, m)
        self.layer3, self.layer4 = stage(2 * c, 4 * c, n, 2), stage(4 * c, 8 * c, n, 2)
        self.layer5 = stage(8 * c, 8 * c, 2, 2, wide=True)
        self.pag3, self.pag4 = Pag(2 * c, c), Pag(2 * c, c)
        d = 2 * c if large else c
        self.layer3_d = Block(2 * c, d, act=False)
        self.layer4_d = Block(2 * c, 2 * c, act=False) if large else stage(c, c, 1, wide=True)
        self.layer5_d = stage(2 * c, 2 * c, 1, wide=True)
        self.diff3, self.diff4 = conv_bn(4 * c, d, 3), conv_bn(8 * c, 2 * c, 3)
        self.spp = Pyramid(16 * c, ppm, 4 * c, parallel=not large)
        self.dfm = Bag(4 * c, light=not large)
        self.seghead_p, self.seghead_d = Head(2 * c, width, classes), Head(2 * c, c, 1)
        self.final_layer = Head(4 * c, width, classes)

    def forward(self, x):
        i = self.stem(x)
        p, d = self.layer3_(i), self.layer3_d(i)
        i = self.layer3(i).relu()
        p, d = self.pag3(p, self.compression3(i)), d + up(self.diff3(i), d)
        early = p
        i, p, d = self.layer4(i).relu(), self.layer4_(p.relu()), self.layer4_d(d.relu())
        p, d = self.pag4(p, self.compression4(i)), d + up(self.diff4(i), d)
        late = d
        p, d = self.layer5_(p.relu()), self.layer5_d(d.relu())
        i = up(self.spp(self.layer5(i)), p)
        return self.seghead_p(early), self.final_layer(self.dfm(p, i, d)), self.seghead_d(late)


class DDRNet(Branches):
    def __init__(self, c=8, ppm=8, width=16, classes=5):
        super().__init__(c, 2)
        self.layer3, self.layer4 = stage(2 * c, 4 * c, 2, 2), stage(4 * c, 8 * c, 2, 2)
        self.layer5 = stage(8 * c, 8 * c, 1, 2, wide=True)
        self.down3 = conv_bn(2 * c, 4 * c, 3, 2)
        self.down4 = nn.Sequential(*conv_bn(2 * c, 4 * c, 3, 2), ReLU(),
                                   *conv_bn(4 * c, 8 * c, 3, 2))
        self.spp = Pyramid(16 * c, ppm, 4 * c)
        self.seghead_extra = Head(2 * c, width, classes)
        self.final_layer = Head(4 * c, width, classes)

    def forward(self, x):
        y = self.stem(x)
        x, y = self.layer3(y), self.layer3_(y)
        x, y = x + self.down3(y.relu()), y + up(self.compression3(x.relu()), y)
        early = y
        x, y = self.layer4(x.relu()), self.layer4_(y.relu())
        x, y = x + self.down4(y.relu()), y + up(self.compression4(x.relu()), y)
        x = up(self.spp(self.layer5(x.relu())), y)
        return self.final_layer(self.layer5_(y.relu()) + x), self.seghead_extra(early)


class ConvX(nn.Module):
    def __init__(self, cin, cout, kernel=3, stride=1):
        super().__init__()
        self.conv = nn.Conv2d(cin, cout, kernel, stride, kernel // 2, bias=False)
        self.bn = BN(cout)

    def forward(self, x):
        return self.bn(self.conv(x)).relu()


class Cat(nn.Module):
    """Four convolutions, each half as wide, and all joined."""

    def __init__(self, cin, cout, stride):
        super().__init__()
        half = cout // 2
        if stride == 2:
            self.avd_layer = nn.Sequential(
                nn.Conv2d(half, half, 3, 2, 1, groups=half, bias=False), BN(half))
        self.conv_list = nn.ModuleList([
            ConvX(cin, half, 1), ConvX(half, cout // 4), ConvX(cout // 4, cout // 8),
            ConvX(cout // 8, cout // 8)])
        self.stride = stride

    def forward(self, x):
        first, *others = self.conv_list
        out = x = first(x)
        if self.stride == 2:
            out, x = self.avd_layer(out), F.avg_pool2d(x, 3, 2, 1)
        maps = [x]
        for conv in others:
            out = conv(out)
            maps.append(out)
        return torch.cat(maps, 1)


class STDC(nn.Module):
    """As their STDC1, with the second names under which parts of it are kept."""

    def __init__(self, base=8, blocks=(2, 2, 2)):
        super().__init__()
        layers, cin = [ConvX(3, base // 2, 3, 2), ConvX(base // 2, base, 3, 2)], base
        for i, count in enumerate(blocks):
            for j in range(count):
                layers.append(Cat(cin, base * 4 * 2**i, 1 if j else 2))
                cin = base * 4 * 2**i
        self.features = nn.Sequential(*layers)
        self.conv_last = ConvX(cin, 1024, 1)
        self.fc = nn.Linear(1024, 4, bias=False)
        self.x2, self.x8 = nn.Sequential(self.features[:1]), nn.Sequential(self.features[2:4])
        self.ends = [1 + sum(blocks[:i + 1]) for i in range(3)]

    def forward(self, x):
        levels = []
        for i, layer in enumerate(self.features):
            x = layer(x)
            if i in self.ends:
                levels.append(x)
        return [*levels[:2], self.conv_last(levels[2])]
