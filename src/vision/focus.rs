//! Sharpness of a whole frame, for whoever turns the lens.

use super::convert;
use crate::config::Region;
use crate::frame::Frame;

/// Mean second difference of brightness along the rows, in grey levels, of the part of a consistent frame within `region`, or of
/// all of it: the higher, the sharper the picture of the same scene.
pub fn frame_sharpness(frame: &Frame, region: Option<Region>) -> f32 {
    let (width, height) = (frame.width as u32, frame.height as u32);
    let asked = region.unwrap_or(Region { x: 0, y: 0, width, height });
    let (x, y) = (asked.x.min(width), asked.y.min(height));
    let area = Region { x, y, width: asked.width.min(width - x), height: asked.height.min(height - y) };
    if area.width == 0 || area.height == 0 || !frame.is_consistent() {
        return 0.0;
    }
    let mut grey = Vec::new();
    convert::luma(frame, area, &mut grey);
    convert::sharpness(&grey, area.width as usize, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_count_and_a_region_outside_the_frame_has_none() {
        let pixels = (0..64).map(|i| if i % 8 < 4 { 0 } else { 200 }).collect();
        let frame = Frame { width: 8, height: 8, pixels, ..Frame::default() };
        let flat = Frame { pixels: vec![9; 64], ..frame.clone() };
        assert!(frame_sharpness(&frame, None) > 60.0);
        assert_eq!(frame_sharpness(&flat, None), 0.0);
        let at = |x, y, width| Some(Region { x, y, width, height: 16 });
        assert_eq!(frame_sharpness(&frame, at(0, 0, 3)), 0.0, "left of the edge");
        assert_eq!(frame_sharpness(&frame, at(90, 90, 16)), 0.0);
        assert_eq!(frame_sharpness(&Frame::default(), None), 0.0);
    }
}
