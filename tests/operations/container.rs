//! The container file: read, not built.

const FILE: &str = include_str!("../../docs/operations/Containerfile");

/// One instruction: its name and the rest, continued lines joined.
type Instruction = (String, String);

/// The stages, each with its `FROM` first.
fn stages() -> Vec<Vec<Instruction>> {
    let lines = FILE.lines().filter(|line| !line.starts_with('#'));
    let text = lines.collect::<Vec<_>>().join("\n").replace("\\\n", " ");
    let instructions = text.lines().filter_map(|line| line.split_once(' '));
    let mut stages: Vec<Vec<Instruction>> = Vec::new();
    for (name, rest) in instructions {
        if name == "FROM" {
            stages.push(Vec::new());
        }
        let stage = stages.last_mut().expect("FROM comes first");
        stage.push((name.to_owned(), rest.trim().to_owned()));
    }
    stages
}

/// The last instruction of this name in a stage, which is the one that counts.
fn last<'a>(stage: &'a [Instruction], name: &str) -> &'a str {
    let found = stage.iter().rev().find(|(other, _)| other == name);
    &found.unwrap_or_else(|| panic!("no {name}")).1
}

/// The words of `["a", "b"]`.
fn exec_form(text: &str) -> Vec<&str> {
    let inner = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    let words = inner
        .expect("exec form: a shell would keep the signal to itself")
        .split(',');
    let words = words.map(|word| word.trim().strip_prefix('"')?.strip_suffix('"'));
    words
        .map(|word| word.expect("a word in double quotes"))
        .collect()
}

fn only<'a>(stage: &'a [Instruction], name: &str) -> Vec<&'a str> {
    let found = stage.iter().filter(|(other, _)| other == name);
    found.map(|(_, rest)| rest.as_str()).collect()
}

#[test]
fn the_program_is_started_without_a_shell_and_gets_the_signal() {
    let stages = stages();
    let image = stages.last().unwrap();
    assert_eq!(exec_form(last(image, "ENTRYPOINT")).len(), 1);
    assert_eq!(last(image, "STOPSIGNAL"), "SIGTERM");
    for shell in ["RUN", "SHELL", "CMD"] {
        assert!(only(image, shell).is_empty(), "{shell}");
    }
}

#[test]
fn it_does_not_run_as_root() {
    let stages = stages();
    let user = last(stages.last().unwrap(), "USER");
    let ids = user.split(':').map(str::parse::<u32>);
    // By number: Kubernetes cannot tell whether a name is root's.
    assert!(ids.clone().all(|id| id.is_ok_and(|id| id > 0)), "{user}");
    assert_eq!(ids.count(), 2, "{user}");
}

#[test]
fn what_is_started_is_what_was_copied_from_where_it_was_built() {
    let stages = stages();
    let [build, image] = &stages[..] else {
        panic!("two stages: {stages:?}");
    };
    let (_, name) = last(build, "FROM").split_once(" AS ").unwrap();
    let [copy] = only(image, "COPY")[..] else {
        panic!("one file in the image");
    };
    let words: Vec<&str> = copy.split_whitespace().collect();
    let [from, source, target] = words[..] else {
        panic!("{copy}");
    };
    assert_eq!(from, format!("--from={name}"));
    assert!(
        last(build, "RUN").ends_with(&format!(" {source}")),
        "{source}"
    );
    assert_eq!(exec_form(last(image, "ENTRYPOINT")), [target]);
}

#[test]
fn it_is_built_with_a_compiler_that_is_new_enough_and_the_versions_of_the_lock_file() {
    let stages = stages();
    let image = last(&stages[0], "FROM");
    let version = image.strip_prefix("rust:").unwrap();
    let (version, _) = version.split_once('-').unwrap();
    let numbers =
        |text: &str| -> Vec<u32> { text.split('.').map(|n| n.parse().unwrap()).collect() };
    let needed = env!("CARGO_PKG_RUST_VERSION");
    assert!(numbers(version) >= numbers(needed), "{version} < {needed}");
    assert!(last(&stages[0], "RUN").contains("--locked"));
}

#[test]
fn it_holds_no_secret() {
    for line in FILE.lines().filter(|line| !line.starts_with('#')) {
        assert!(!line.to_uppercase().contains("PASSWORD"), "{line}");
        assert!(!line.contains("redis://"), "{line}");
    }
}
