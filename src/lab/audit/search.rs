//! The search for copies on several threads. The result does not depend on their number.

use std::collections::HashMap;
use std::thread;

use super::read::Seen;
use crate::audit::compare::Prepared;
use crate::audit::groups::Groups;
use crate::audit::rings::{Circle, Rings};
use crate::audit::shortlist::{Candidate, Shortlist};

/// Candidates of a picture in one round.
const CANDIDATES: usize = 12;
/// Most rounds. Each looks only for copies outside the groups that were found before, so the first finds most.
const ROUNDS: usize = 4;
/// Pairs that are compared before their groups are joined: what they join need not be compared any more.
const BATCH: usize = 512;

/// The first picture of each picture's group.
///
/// # Errors
/// When no thread can be started.
pub(super) fn groups(seen: &[Seen], least: f64, threads: usize) -> anyhow::Result<Vec<usize>> {
    let mut groups = Groups::new(seen.len());
    let mut same = HashMap::new();
    for (at, picture) in seen.iter().enumerate() {
        groups.join(*same.entry(&picture.sha256).or_insert(at), at);
    }
    let pictures: Vec<Option<&Prepared>> = seen.iter().map(|picture| picture.prepared.as_ref()).collect();
    for _ in 0..ROUNDS {
        let candidates = shortlist(&pictures, &groups.firsts(), threads)?;
        if !join_copies(&pictures, candidates, &mut groups, least, threads)? {
            break;
        }
    }
    Ok(groups.firsts())
}

fn shortlist(
    pictures: &[Option<&Prepared>],
    firsts: &[usize],
    threads: usize,
) -> anyhow::Result<Vec<Candidate>> {
    // Of files that are the same byte for byte one is enough, but groups of copies are not alike: each looks for itself.
    let rings: Vec<Option<&Rings>> = pictures.iter().map(|picture| picture.map(|p| &p.rings)).collect();
    let circle = Circle::default();
    let lists = in_parallel(threads, |part| {
        let mut list = Shortlist::new(rings.len(), CANDIDATES);
        list.fill(&rings, firsts, (part, threads), &circle);
        list
    })?;
    let mut whole = Shortlist::new(rings.len(), CANDIDATES);
    lists.into_iter().for_each(|list| whole.merge(list));
    Ok(whole.pairs())
}

/// Compares the candidates, the best first, and joins copies; whether there was any.
fn join_copies(
    pictures: &[Option<&Prepared>],
    candidates: Vec<Candidate>,
    groups: &mut Groups,
    least: f64,
    threads: usize,
) -> anyhow::Result<bool> {
    let mut joined = false;
    let mut left = candidates.into_iter().peekable();
    while left.peek().is_some() {
        let mut batch = Vec::with_capacity(BATCH);
        for pair in left.by_ref() {
            if groups.first(pair.first) != groups.first(pair.second) {
                batch.push(pair);
            }
            if batch.len() == BATCH {
                break;
            }
        }
        let found = in_parallel(threads, |part| {
            let own = batch.iter().skip(part).step_by(threads);
            own.filter(|pair| is_copy(pictures, pair, least)).copied().collect::<Vec<_>>()
        })?;
        for pair in found.into_iter().flatten() {
            joined |= groups.join(pair.first, pair.second);
        }
    }
    Ok(joined)
}

fn is_copy(pictures: &[Option<&Prepared>], pair: &Candidate, least: f64) -> bool {
    let both = pictures[pair.first].zip(pictures[pair.second]);
    both.is_some_and(|(first, second)| first.correlation(second, pair.fit) >= least)
}

/// What `work` gives for each part of `threads`, in their order.
fn in_parallel<T: Send>(threads: usize, work: impl Fn(usize) -> T + Sync) -> anyhow::Result<Vec<T>> {
    let work = &work;
    thread::scope(|scope| {
        let spawn =
            |part| thread::Builder::new().name("audit".to_owned()).spawn_scoped(scope, move || work(part));
        let handles = (0..threads).map(spawn).collect::<Result<Vec<_>, _>>()?;
        let join = |handle: thread::ScopedJoinHandle<'_, T>| {
            handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        Ok(handles.into_iter().map(join).collect())
    })
}
