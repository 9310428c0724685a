//! What the parameters of a `#[job]` function may be, as traits whose errors speak of jobs.
//!
//! The generated code asks for nothing but these, so that a type which does not fit is one error,
//! at that type.

use std::fmt;

use ::serde::Serialize;
use ::serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor,
};
use ::serde::de::{Error, value};
use ::serde::ser::SerializeStruct;

use crate::context::{Context, State};
use crate::error::MissingState;
use crate::job::StateType;

/// The type of a parameter that is an argument.
///
/// `Kind` is always [`Owned`], and inferred. That there seems to be another choice keeps the
/// compiler from telling only which bound of the one implementation failed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of a job",
    label = "expected an owned, serialisable type",
    note = "an argument is `serde::Serialize + serde::de::DeserializeOwned + Send + 'static`: for a type of your own, `#[derive(serde::Serialize, serde::Deserialize)]`",
    note = "in a `#[job]` function the running job is a `jobq::Context` and what the worker holds a `jobq::State<T>`; under another name, put `#[context]` or `#[state]` on the parameter"
)]
pub trait Argument<Kind>: Sized {
    /// Writes it under its name.
    ///
    /// # Errors
    ///
    /// Those of the format.
    fn write<S: SerializeStruct>(&self, name: &'static str, map: &mut S) -> Result<(), S::Error>;

    /// Reads the value of the current key into its slot.
    ///
    /// # Errors
    ///
    /// Those of the format; a name that came twice.
    fn read<'de, A: MapAccess<'de>>(
        slot: &mut Option<Self>,
        name: &'static str,
        map: &mut A,
    ) -> Result<(), A::Error>;

    /// Takes what was read. An `Option` that did not come is `None`.
    ///
    /// # Errors
    ///
    /// A name that did not come.
    fn take<E: Error>(slot: Option<Self>, name: &'static str) -> Result<Self, E>;
}

/// The kind of every argument.
#[derive(Debug)]
pub enum Owned {}

/// The kind of none.
#[derive(Debug)]
pub enum Other {}

/// Implemented by nothing.
#[doc(hidden)]
pub trait Never {}

impl<T: Serialize + DeserializeOwned + Send + 'static> Argument<Owned> for T {
    fn write<S: SerializeStruct>(&self, name: &'static str, map: &mut S) -> Result<(), S::Error> {
        map.serialize_field(name, self)
    }

    fn read<'de, A: MapAccess<'de>>(
        slot: &mut Option<Self>,
        name: &'static str,
        map: &mut A,
    ) -> Result<(), A::Error> {
        let value = map
            .next_value()
            .map_err(|error| A::Error::custom(format_args!("argument `{name}`: {error}")))?;
        match slot.replace(value) {
            None => Ok(()),
            Some(_) => Err(A::Error::duplicate_field(name)),
        }
    }

    fn take<E: Error>(slot: Option<Self>, name: &'static str) -> Result<Self, E> {
        slot.map_or_else(
            || T::deserialize(Missing(name)).map_err(|_: value::Error| E::missing_field(name)),
            Ok,
        )
    }
}

impl<T: Never> Argument<Other> for T {
    fn write<S: SerializeStruct>(&self, _: &'static str, _: &mut S) -> Result<(), S::Error> {
        unreachable!("no type is `Never`")
    }

    fn read<'de, A: MapAccess<'de>>(
        _: &mut Option<Self>,
        _: &'static str,
        _: &mut A,
    ) -> Result<(), A::Error> {
        unreachable!("no type is `Never`")
    }

    fn take<E: Error>(_: Option<Self>, _: &'static str) -> Result<Self, E> {
        unreachable!("no type is `Never`")
    }
}

/// Stands in for a value that did not come: an `Option` takes it as `None`, all else as an error.
struct Missing(&'static str);

impl<'de> Deserializer<'de> for Missing {
    type Error = value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, value::Error> {
        Err(Error::missing_field(self.0))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, value::Error> {
        visitor.visit_none()
    }

    ::serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// Reads a key as its place among the names; `None` for one that is not among them.
#[derive(Debug, Clone, Copy)]
pub struct Names(pub &'static [&'static str]);

impl<'de> DeserializeSeed<'de> for Names {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, key: D) -> Result<Option<usize>, D::Error> {
        key.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Names {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of an argument")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Option<usize>, E> {
        Ok(self.0.iter().position(|name| *name == key))
    }
}

/// Passes over the value of a key that this version of the job does not know.
///
/// # Errors
///
/// Those of the format.
pub fn skip<'de, A: MapAccess<'de>>(map: &mut A) -> Result<(), A::Error> {
    map.next_value::<IgnoredAny>().map(drop)
}

/// The type of a parameter that is filled with the running job.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not `jobq::Context`",
    label = "this parameter was taken for the running job",
    note = "put `#[arg]` on the parameter if it is an argument of the job"
)]
pub trait ContextParameter {
    /// The parameter of one run.
    fn of(ctx: &Context) -> Self;
}

impl ContextParameter for Context {
    fn of(ctx: &Context) -> Self {
        ctx.clone()
    }
}

/// The type of a parameter that is filled with a state of the worker.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a `jobq::State<T>`",
    label = "this parameter was taken for a state of the worker",
    note = "write `jobq::State<T>`, or put `#[arg]` on the parameter if it is an argument of the job"
)]
pub trait StateParameter: Sized {
    /// What the worker has to be given.
    const TYPE: StateType;

    /// The parameter of one run.
    ///
    /// # Errors
    ///
    /// When the worker was not given it.
    fn of(ctx: &Context) -> Result<Self, MissingState>;
}

impl<T: Send + Sync + 'static> StateParameter for State<T> {
    const TYPE: StateType = StateType::of::<T>();

    fn of(ctx: &Context) -> Result<Self, MissingState> {
        ctx.state()
    }
}
