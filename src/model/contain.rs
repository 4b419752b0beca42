//! Keeps a panic of the inference engine inside: it becomes a message, and nothing is printed.
//!
//! The process-wide panic hook is wrapped once. A hook that another owner sets later replaces the wrapper; then contained
//! panics are still caught, but that hook sees them too.

use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::Once;

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    static MESSAGE: RefCell<Option<String>> = const { RefCell::new(None) };
}

static WRAP_HOOK: Once = Once::new();

/// Runs `work`; a panic in it comes back as its message and place in the source.
///
/// What `work` changed before it panicked may be half done: the caller must throw it away.
pub(super) fn contain<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    WRAP_HOOK.call_once(wrap_hook);
    DEPTH.set(DEPTH.get() + 1);
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    DEPTH.set(DEPTH.get() - 1);
    result.map_err(|payload| {
        let noted = MESSAGE.with_borrow_mut(Option::take);
        noted.unwrap_or_else(|| text_of(payload.as_ref()).to_owned())
    })
}

fn wrap_hook() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| if DEPTH.get() > 0 { note(info) } else { before(info) }));
}

fn note(info: &PanicHookInfo<'_>) {
    let text = text_of(info.payload());
    let message = match info.location() {
        Some(at) => format!("{text} ({}:{})", short(at.file()), at.line()),
        None => text.to_owned(),
    };
    MESSAGE.with_borrow_mut(|slot| *slot = Some(message));
}

fn text_of(payload: &(dyn std::any::Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a message")
}

/// A source path from its crate's folder on: enough to find it, and the same on every machine.
fn short(path: &str) -> &str {
    let krate = path.rfind("/src/").and_then(|at| path[..at].rfind('/'));
    krate.map_or(path, |at| &path[at + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_its_message_and_place() {
        let message = contain(|| panic!("index {} too large", 7)).unwrap_err();
        assert!(message.starts_with("index 7 too large (src/model/contain.rs:"), "{message}");
        assert_eq!(contain(|| 5), Ok(5));
    }

    #[test]
    fn the_place_is_the_same_on_every_machine() {
        assert_eq!(
            short("/home/me/.cargo/registry/src/x/tract-1.2/src/dim/tree.rs"),
            "tract-1.2/src/dim/tree.rs"
        );
        assert_eq!(short("src/model/contain.rs"), "src/model/contain.rs");
    }

    #[test]
    fn containing_nests() {
        let outer = contain(|| contain(|| panic!("inner")).unwrap_err());
        assert!(outer.unwrap().starts_with("inner"));
        assert!(
            contain(|| contain(|| panic!("one")).map_err(|_| panic!("two"))).unwrap_err().starts_with("two")
        );
    }
}
