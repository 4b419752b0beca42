//! How the belt moves: at its speed, but for stops with their ramps. Travel at a moment, and the moment of a travel.
//!
//! Pure. Millimetres and seconds since the start of a shift; the belt never runs backwards.

/// A stretch of constant acceleration.
#[derive(Debug, Clone, Copy)]
struct Segment {
    at: f64,
    mm: f64,
    speed: f64,
    acceleration: f64,
}

/// A stop of the belt.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Stop {
    /// When it begins to brake, in seconds.
    pub at: f64,
    /// How long it stands.
    pub stands: f64,
    /// How long it takes to brake, and to run up again.
    pub ramp: f64,
}

/// The belt's movement.
#[derive(Debug, Clone)]
pub(crate) struct Motion {
    segments: Vec<Segment>,
}

impl Motion {
    /// A belt at `speed` with stops, in the order of their times; one that begins before the last one is over is left out.
    pub(crate) fn new(speed: f64, stops: &[Stop]) -> Self {
        let mut motion = Self { segments: vec![Segment { at: 0.0, mm: 0.0, speed, acceleration: 0.0 }] };
        let mut free = 0.0;
        for stop in stops.iter().filter(|stop| stop.at >= 0.0) {
            if stop.at < free {
                continue;
            }
            let ramp = stop.ramp.max(1e-3);
            motion.push(stop.at, speed, -speed / ramp);
            motion.push(stop.at + ramp, 0.0, 0.0);
            motion.push(stop.at + ramp + stop.stands, 0.0, speed / ramp);
            motion.push(stop.at + 2.0 * ramp + stop.stands, speed, 0.0);
            free = stop.at + 2.0 * ramp + stop.stands;
        }
        motion
    }

    fn push(&mut self, at: f64, speed: f64, acceleration: f64) {
        let mm = self.travel(at);
        self.segments.push(Segment { at, mm, speed, acceleration });
    }

    /// Travel at a moment.
    pub(crate) fn travel(&self, at: f64) -> f64 {
        let next = self.segments.partition_point(|s| s.at <= at).max(1);
        let s = &self.segments[next - 1];
        let dt = at - s.at;
        s.mm + s.speed * dt + 0.5 * s.acceleration * dt * dt
    }

    /// The first moment at which the belt has moved so far.
    pub(crate) fn time(&self, mm: f64) -> f64 {
        let next = self.segments.partition_point(|s| s.mm < mm).max(1);
        let s = &self.segments[next - 1];
        let way = mm - s.mm;
        if s.acceleration == 0.0 {
            return if s.speed > 0.0 { s.at + way / s.speed } else { s.at };
        }
        // way = v t + a t^2 / 2, the first positive root.
        let root = (s.speed * s.speed + 2.0 * s.acceleration * way).max(0.0).sqrt();
        s.at + 2.0 * way / (s.speed + root).max(1e-9)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn travel_and_time_are_inverse_through_a_stop() {
        let motion = Motion::new(
            500.0,
            &[Stop { at: 2.0, stands: 3.0, ramp: 0.4 }, Stop { at: 3.0, stands: 1.0, ramp: 0.1 }],
        );
        assert_eq!(motion.travel(2.0), 1000.0);
        assert!((motion.travel(2.4) - 1100.0).abs() < 1e-9);
        assert!((motion.travel(5.4) - 1100.0).abs() < 1e-9);
        assert!((motion.travel(6.8) - 1700.0).abs() < 1e-6, "{}", motion.travel(6.8));
        for k in 1..400 {
            let mm = f64::from(k) * 5.0;
            assert!((motion.travel(motion.time(mm)) - mm).abs() < 1e-6, "{mm}");
        }
    }
}
