//! What the worker was given, by type.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// Something the worker was given with `.state(t)`: a pool, a configuration. Dereferences to `T`.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
/// use jobq::{State, job};
///
/// #[derive(Default)]
/// struct Sent(AtomicU64);
///
/// #[job]
/// async fn send(sent: State<Sent>, email: String) {
///     println!("mail {} goes to {email}", sent.0.fetch_add(1, Relaxed));
/// }
///
/// let sent = State::new(Sent::default()); // a worker gets it by `.state(Sent::default())`
/// send(sent.clone(), "ada@example.org".to_owned()).await;
/// assert_eq!(sent.0.load(Relaxed), 1);
/// # Ok(())
/// # }
/// ```
pub struct State<T: ?Sized>(Arc<T>);

impl<T> State<T> {
    /// A state for calling a handler in a test.
    #[must_use]
    pub fn new(value: T) -> Self {
        Self(Arc::new(value))
    }
}

impl<T: ?Sized> Clone for State<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: ?Sized> Deref for State<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for State<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a worker was given, by type. Cheap to clone.
#[derive(Clone, Default)]
pub struct States(Arc<HashMap<TypeId, Given>>);

/// A state, and the name of its type.
#[derive(Clone)]
struct Given {
    type_name: &'static str,
    value: Arc<dyn Any + Send + Sync>,
}

impl States {
    /// Adds one; a second one of a type replaces the first.
    #[must_use]
    pub fn with<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        let given = Given {
            type_name: std::any::type_name::<T>(),
            value: Arc::new(value),
        };
        Arc::make_mut(&mut self.0).insert(TypeId::of::<T>(), given);
        self
    }

    /// The names of the types, sorted: for messages.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self.0.values().map(|given| given.type_name).collect();
        names.sort_unstable();
        names
    }

    /// Whether there is one of this type.
    #[must_use]
    pub fn has(&self, id: TypeId) -> bool {
        self.0.contains_key(&id)
    }

    /// The one of type `T`.
    #[must_use]
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<State<T>> {
        self.0
            .get(&TypeId::of::<T>())?
            .value
            .clone()
            .downcast()
            .ok()
            .map(State)
    }
}

impl fmt::Debug for States {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "States({})", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_found_by_its_type() {
        let states = States::default().with(7u32).with("text").with(8u32);
        assert_eq!(states.get::<u32>().as_deref(), Some(&8));
        assert!(states.has(TypeId::of::<&str>()) && !states.has(TypeId::of::<u64>()));
        assert!(states.get::<u64>().is_none());
        let state = State::new(vec![1, 2]);
        assert_eq!(state.clone().len(), 2);
        assert_eq!(format!("{state:?}"), "[1, 2]");
    }

    #[test]
    fn states_that_share_do_not_change_each_other() {
        let one = States::default().with(1u8);
        let other = one.clone().with(2u8);
        assert_eq!(one.get::<u8>().as_deref(), Some(&1));
        assert_eq!(other.get::<u8>().as_deref(), Some(&2));
    }

    #[test]
    fn debug_output_holds_no_state() {
        let states = States::default().with("hunter2".to_owned());
        assert_eq!(format!("{states:?}"), "States(1)");
    }
}
