//! A heat map laid over a picture. Pure.

/// How much of the hottest colour covers the picture.
const COVER: f32 = 0.65;

/// A colour picture, three bytes a pixel: `grey` of `width` with the heat of each pixel over it, from nothing through red to yellow.
/// `heat` gives the heat at the middle of the pixel at a column and row, 0 to 1.
pub fn overlay(grey: &[u8], width: usize, heat: impl Fn(f64, f64) -> f32) -> Vec<u8> {
    let pixel = |(i, &grey): (usize, &u8)| {
        let heat = heat((i % width) as f64 + 0.5, (i / width) as f64 + 0.5).clamp(0.0, 1.0);
        let colour = [255.0, (heat * 2.0 - 1.0).max(0.0) * 230.0, 30.0];
        colour.map(|value| (f32::from(grey) + (value - f32::from(grey)) * heat * COVER).round() as u8)
    };
    grey.iter().enumerate().flat_map(pixel).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cold_pixels_stay_grey_and_hot_ones_do_not() {
        let picture = overlay(&[10, 200], 2, |x, _| if x < 1.0 { 0.0 } else { 1.0 });
        assert_eq!(picture[..3], [10, 10, 10]);
        assert!(picture[3] > 200 && picture[5] < 100, "{picture:?}");
    }
}
