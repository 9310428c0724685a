//! Arguments of many types, and arguments that may nest.

use std::collections::BTreeMap;

use jobq::{Job, JobDefaults};
use serde::{Deserialize, Serialize};

/// One of each kind.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Probe {
    pub(super) small: u8,
    pub(super) signed: i64,
    pub(super) large: u64,
    pub(super) float: f64,
    pub(super) truth: bool,
    pub(super) letter: char,
    pub(super) text: String,
    #[serde(default)]
    pub(super) perhaps: Option<Vec<u16>>,
    pub(super) pair: (i8, String),
    pub(super) names: BTreeMap<String, i32>,
    pub(super) tree: Tree,
    pub(super) endless: Endless,
}

/// Nests without a bound of its own.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Tree {
    Leaf,
    Number(i64),
    Wrapped(Box<Wrapped>),
    Branch(Vec<Tree>),
    Named { under: BTreeMap<String, Tree> },
}

/// Neither an option nor a newtype is a level of its own in the bytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Wrapped(pub(super) Option<Box<Tree>>);

/// Nests without a byte: whatever is not nil is another one of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Endless(pub(super) Option<Box<Endless>>);

impl Job for Probe {
    const NAME: &'static str = "probe";
    const DEFAULTS: JobDefaults = JobDefaults::new();
}

impl Probe {
    pub(super) fn sample() -> Self {
        let wrapped = Tree::Wrapped(Box::new(Wrapped(Some(Box::new(Tree::Number(-7))))));
        let under = BTreeMap::from([("a".to_owned(), wrapped), ("b".to_owned(), Tree::Leaf)]);
        Self {
            small: 7,
            signed: -70_000,
            large: u64::MAX,
            float: 0.5,
            truth: true,
            letter: 'ß',
            text: "a text".to_owned(),
            perhaps: Some(vec![1, 300]),
            pair: (-1, "two".to_owned()),
            names: BTreeMap::from([("k".to_owned(), 1)]),
            tree: Tree::Branch(vec![Tree::Named { under }, Tree::Leaf]),
            endless: Endless(None),
        }
    }

    /// How many values and bytes it holds.
    pub(super) fn weight(&self) -> usize {
        let names = self.names.keys().map(|name| name.len() + 1);
        let perhaps = self.perhaps.as_ref().map_or(0, Vec::len);
        self.text.len() + perhaps + self.pair.1.len() + names.sum::<usize>() + self.tree.weight()
    }
}

impl Tree {
    fn weight(&self) -> usize {
        1 + match self {
            Self::Leaf | Self::Number(_) => 0,
            Self::Wrapped(wrapped) => wrapped.0.as_ref().map_or(0, |tree| tree.weight()),
            Self::Branch(trees) => trees.iter().map(Self::weight).sum(),
            Self::Named { under } => {
                let named = under.iter();
                named.map(|(name, tree)| name.len() + tree.weight()).sum()
            }
        }
    }
}
