//! The outputs to the PLC and the second gate on real GPIO lines, where gpio-sim is there.

use castgate::clock::Time;
use castgate::config::{Config, GateKind, Level};
use castgate::gate::{self, GateState, Signals};

use crate::support::gpiosim::gpio_sim;

#[test]
fn outputs_are_off_at_the_start_and_follow_their_signals() {
    let Some(sim) = gpio_sim("outputs on GPIO lines") else { return };
    let mut config = Config::default();
    (config.outputs.ready, config.outputs.fault) = (sim.pin(1, ""), sim.pin(2, ""));
    config.outputs.line_stop = sim.pin(3, r#", "active": "low""#);
    let mut outputs = gate::open_outputs(&config.outputs).unwrap().unwrap();
    let levels = || [1, 2, 3].map(|line| sim.is_high(line));
    assert_eq!(levels(), [false, false, true], "all off; line_stop is active low");
    for (signals, expected) in [
        (Signals { ready: true, life: true, ..Signals::default() }, [true, false, true]),
        (Signals { fault: true, line_stop: true, ..Signals::default() }, [false, true, false]),
        (Signals::default(), [false, false, true]),
    ] {
        outputs.show(&signals).unwrap();
        assert_eq!(levels(), expected, "{signals:?}");
    }
    let busy = gate::open_outputs(&config.outputs).err().unwrap().to_string();
    assert!(
        busy.starts_with("outputs.ready (gpiochip") && busy.contains("is in use by `castgate`"),
        "{busy}"
    );
    sim.unplug();
    let gone = outputs.show(&Signals { ready: true, ..Signals::default() }).unwrap_err().to_string();
    assert!(gone.contains("the chip is gone"), "{gone}");
}

#[test]
fn a_line_without_outputs_opens_none() {
    assert!(gate::open_outputs(&Config::default().outputs).unwrap().is_none());
    assert!(gate::open_second(&Config::default()).unwrap().is_none());
}

#[test]
fn the_second_gate_lets_parts_pass_until_it_is_told() {
    let Some(sim) = gpio_sim("second gate on a GPIO line") else { return };
    for (reject_level, line) in [(Level::High, 4), (Level::Low, 5)] {
        let mut config = Config::default();
        config.gate.kind = GateKind::Gpiochip;
        config.second_gate.enabled = true;
        config.second_gate.reject_level = reject_level;
        (config.second_gate.chip, config.second_gate.line) = (Some(sim.chip.clone()), Some(line.to_string()));
        let mut gate = gate::open_second(&config).unwrap().unwrap();
        let rejects = || sim.is_high(line) == (reject_level == Level::High);
        assert!(!rejects(), "{reject_level:?}: pass from the request on");
        gate.set(GateState::Reject, Time::ZERO).unwrap();
        assert!(rejects());
        gate.set(gate::SECOND_SAFE, Time::ZERO).unwrap();
        assert!(!rejects());
    }
}
