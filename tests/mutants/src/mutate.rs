//! The mutants of a script: what counts as a guard, and how each is broken.

use std::collections::HashSet;
use std::ops::Range;

use tree_sitter::{Node, Parser};

/// Commands that answer how many they removed: taken for done when their answer is used.
const REMOVALS: [&str; 3] = ["'HDEL'", "'LREM'", "'ZREM'"];

/// A script with one change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutant {
    /// The line of the change, from 1.
    pub line: usize,
    /// That line as it stands in the script, without spaces around it.
    pub was: String,
    /// What was changed.
    pub change: String,
    /// The whole text.
    pub text: String,
}

/// All mutants of a script, in the order of its lines: no two have the same text.
///
/// # Panics
///
/// When the text is no Lua.
#[must_use]
pub fn mutants(source: &str) -> Vec<Mutant> {
    let mut parser = Parser::new();
    let language = tree_sitter_lua::LANGUAGE.into();
    parser
        .set_language(&language)
        .expect("grammar and parser are of one version");
    // The first line is for Redis; a comment of the same length is Lua.
    let lua = source.replacen("#!", "--", 1);
    let tree = parser.parse(&lua, None).expect("no time-out was set");
    let root = tree.root_node();
    assert!(!root.has_error(), "this is no Lua:\n{source}");

    let mut found = Found {
        source,
        mutants: Vec::new(),
        texts: HashSet::new(),
    };
    found.flags();
    found.visit(root);
    found.mutants.sort_by_key(|mutant| mutant.line);
    found.mutants
}

struct Found<'a> {
    source: &'a str,
    mutants: Vec<Mutant>,
    texts: HashSet<String>,
}

impl<'a> Found<'a> {
    fn text(&self, node: Node<'_>) -> &'a str {
        &self.source[node.byte_range()]
    }

    /// Notes the mutant in which `by` stands in the place of the range.
    fn replace(&mut self, range: Range<usize>, by: &str) {
        let (before, after) = (&self.source[..range.start], &self.source[range.end..]);
        let text = format!("{before}{by}{after}");
        if !self.texts.insert(text.clone()) {
            return;
        }
        let line = before.matches('\n').count() + 1;
        let was = self.source.lines().nth(line - 1).unwrap_or_default();
        let change = match by {
            "" => format!("`{}` deleted", short(&self.source[range])),
            _ => format!("`{}` -> `{}`", short(&self.source[range]), short(by)),
        };
        self.mutants.push(Mutant {
            line,
            was: was.trim().to_owned(),
            change,
            text,
        });
    }

    /// What the first line tells Redis: what may be done when its memory is full, and what never.
    fn flags(&mut self) {
        let first = self.source.lines().next().unwrap_or_default();
        match first.find(" flags=") {
            Some(at) => self.replace(at..first.len(), ""),
            None => self.replace(first.len()..first.len(), " flags=allow-oom"),
        }
    }

    fn visit(&mut self, node: Node<'_>) {
        match node.kind() {
            "if_statement" | "elseif_statement" | "while_statement" => self.condition(node),
            "binary_expression" => self.binary(node),
            "unary_expression" => self.negation(node),
            "for_numeric_clause" => self.last_round(node),
            "function_call" => self.call(node),
            "true" => self.replace(node.byte_range(), "false"),
            "false" => self.replace(node.byte_range(), "true"),
            _ => {}
        }
        if is_statement(node) && !is_whole_branch(node) {
            self.replace(node.byte_range(), "");
        }
        let mut cursor = node.walk();
        for child in node.named_children(&mut cursor) {
            self.visit(child);
        }
    }

    fn condition(&mut self, node: Node<'_>) {
        let condition = field(node, "condition").byte_range();
        self.replace(condition.clone(), "true");
        self.replace(condition, "false");
    }

    fn binary(&mut self, node: Node<'_>) {
        let (left, right) = (field(node, "left"), field(node, "right"));
        let operator = left.next_sibling().expect("it stands between the two");
        let other = match self.text(operator) {
            "and" | "or" => {
                self.replace(node.byte_range(), self.text(left));
                return self.replace(node.byte_range(), self.text(right));
            }
            "<" => "<=",
            "<=" => "<",
            ">" => ">=",
            ">=" => ">",
            "==" | "~=" if is_condition(node) => return,
            "==" => "~=",
            "~=" => "==",
            "+" => "-",
            "-" => "+",
            _ => return,
        };
        self.replace(operator.byte_range(), other);
    }

    fn negation(&mut self, node: Node<'_>) {
        if self.text(node).starts_with("not") && !is_condition(node) {
            let operand = self.text(field(node, "operand"));
            self.replace(node.byte_range(), operand);
        }
    }

    /// Ends a loop one round too early.
    fn last_round(&mut self, node: Node<'_>) {
        let end = field(node, "end");
        let step = node.child_by_field_name("step");
        let step = step.map_or("1", |step| self.text(step));
        let early = format!("{} - ({step})", self.text(end));
        self.replace(end.byte_range(), &early);
    }

    fn call(&mut self, node: Node<'_>) {
        let name = field(node, "name");
        let list = field(node, "arguments");
        let mut cursor = list.walk();
        let arguments: Vec<_> = list.named_children(&mut cursor).collect();
        match self.text(name) {
            "math.max" | "math.min" => {
                for argument in arguments {
                    self.replace(node.byte_range(), self.text(argument));
                }
            }
            "redis.pcall" => self.replace(name.byte_range(), "redis.call"),
            "redis.call" if REMOVALS.contains(&self.text(arguments[0])) && !is_statement(node) => {
                self.replace(node.byte_range(), "1");
            }
            "pcall" => {
                let rest = &self.source[arguments[0].end_byte()..list.end_byte()];
                let rest = rest.trim_start_matches([',', ' ']);
                let bare = format!("true, {}({rest}", self.text(arguments[0]));
                self.replace(node.byte_range(), &bare);
            }
            _ => {}
        }
    }
}

fn field<'tree>(node: Node<'tree>, name: &str) -> Node<'tree> {
    let found = node.child_by_field_name(name);
    found.unwrap_or_else(|| panic!("{} has no {name}", node.to_sexp()))
}

/// Whether it is all of a condition: true and false show what the opposite would.
fn is_condition(node: Node<'_>) -> bool {
    let condition = |parent: Node<'_>| parent.child_by_field_name("condition") == Some(node);
    node.parent().is_some_and(condition)
}

/// Whether it can be deleted: a call or an assignment by itself, an early end.
fn is_statement(node: Node<'_>) -> bool {
    let kinds = [
        "function_call",
        "assignment_statement",
        "return_statement",
        "break_statement",
    ];
    let Some(parent) = node.parent().filter(|_| kinds.contains(&node.kind())) else {
        return false;
    };
    let is_answer = parent.kind() == "chunk" && node.kind() == "return_statement";
    ["block", "chunk"].contains(&parent.kind()) && !is_answer
}

/// Whether it is all that an `if` without `else` does: then it is deleted by the condition.
fn is_whole_branch(node: Node<'_>) -> bool {
    let alone = |block: Node<'_>| block.named_child_count() == 1;
    let Some(block) = node.parent().filter(|block| alone(*block)) else {
        return false;
    };
    let branch = block.parent();
    branch.is_some_and(|branch| {
        branch.kind() == "if_statement" && branch.child_by_field_name("alternative").is_none()
    })
}

fn short(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests;
