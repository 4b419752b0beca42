//! How a JPEG divides its picture: components, blocks of 8 x 8 samples and the rows in which a scan visits them (ITU-T
//! T.81, annex A.2).

/// One component: brightness or a colour.
#[derive(Debug)]
pub(super) struct Component {
    /// Its name in the file.
    pub id: u8,
    /// Sampling factors across and down, 1 to 4.
    pub sampling: (usize, usize),
    /// Number of its table of quantisation, 0 to 3.
    pub quantiser: usize,
    /// Blocks across and down where a scan holds this component alone.
    pub blocks: (usize, usize),
    /// Blocks across where a scan holds several components, and the step from one row of blocks to the next.
    pub stride: usize,
    /// Blocks that may come in all.
    pub all_blocks: usize,
}

/// The frame of a JPEG: its size and its components.
#[derive(Debug)]
pub(super) struct Layout {
    pub width: usize,
    pub height: usize,
    pub components: Vec<Component>,
    /// Largest sampling factors.
    pub largest: (usize, usize),
    /// Minimum coded units across and down where a scan holds several components.
    pub units: (usize, usize),
}

impl Layout {
    /// Of a size in pixels and of components with their name, sampling factors and number of quantiser.
    pub(super) fn new((width, height): (usize, usize), components: &[(u8, (usize, usize), usize)]) -> Self {
        let largest = components.iter().fold((1, 1), |(h, v), (_, s, _)| (h.max(s.0), v.max(s.1)));
        let units = (width.div_ceil(8 * largest.0), height.div_ceil(8 * largest.1));
        let component = |&(id, sampling, quantiser): &(u8, (usize, usize), usize)| {
            let samples = (
                (width * sampling.0).div_ceil(largest.0).div_ceil(8),
                (height * sampling.1).div_ceil(largest.1).div_ceil(8),
            );
            let stride = units.0 * sampling.0;
            Component {
                id,
                sampling,
                quantiser,
                blocks: samples,
                stride,
                all_blocks: stride * units.1 * sampling.1,
            }
        };
        let components = components.iter().map(component).collect();
        Self { width, height, components, largest, units }
    }

    /// How a scan of these components visits their blocks.
    pub(super) fn course(&self, scan: &[usize]) -> Course {
        match *scan {
            [alone] => {
                let component = &self.components[alone];
                Course {
                    units: component.blocks,
                    visits: vec![(alone, 0, 0)],
                    rows: 8 * self.largest.1 / component.sampling.1,
                    step: vec![(1, component.stride)],
                }
            }
            _ => {
                let mut visits = Vec::new();
                let mut step = Vec::new();
                for &index in scan {
                    let Component { sampling: (h, v), stride, .. } = self.components[index];
                    for y in 0..v {
                        for x in 0..h {
                            visits.push((index, x, y * stride));
                            step.push((h, v * stride));
                        }
                    }
                }
                Course { units: self.units, visits, rows: 8 * self.largest.1, step }
            }
        }
    }
}

/// The units of a scan, and the blocks in each.
#[derive(Debug)]
pub(super) struct Course {
    /// Units across and down.
    pub units: (usize, usize),
    /// For each block of a unit: its component, and its place in the first unit.
    pub visits: Vec<(usize, usize, usize)>,
    /// Rows of the picture in a row of units.
    pub rows: usize,
    /// For each block of a unit: how far its place moves to the next unit, and to the next row of units.
    pub step: Vec<(usize, usize)>,
}
