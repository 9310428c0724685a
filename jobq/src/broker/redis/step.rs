//! A step as it is sent: a command, or a script by its name, and several of them in one go.

use redis::{Arg, Cmd, Pipeline, ToRedisArgs, Value};

use super::fault::Fault;

/// First line of a script that writes nothing.
pub(super) const READS_ONLY: &str = "#!lua flags=no-writes";

/// A Lua file and the name under which the server keeps it.
#[derive(Debug)]
pub(super) struct Script {
    /// That of its file.
    pub(super) name: &'static str,
    pub(super) source: &'static str,
    sha: String,
    /// Of the commands that keep a script from writing: their user needs no right to write.
    reads_only: bool,
}

impl Script {
    pub(super) fn new(name: &'static str, source: &'static str) -> Self {
        let sha = redis::Script::new(source).get_hash().to_owned();
        Self {
            name,
            source,
            sha,
            reads_only: source.lines().next() == Some(READS_ONLY),
        }
    }

    /// The name under which the server keeps it.
    pub(super) fn sha(&self) -> &str {
        &self.sha
    }

    fn by_name(&self) -> &'static str {
        if self.reads_only {
            "EVALSHA_RO"
        } else {
            "EVALSHA"
        }
    }

    fn by_source(&self) -> &'static str {
        if self.reads_only { "EVAL_RO" } else { "EVAL" }
    }

    /// The command with the source in place of the name: the server runs it, and knows the name
    /// from then on.
    fn with_source(&self, command: &Cmd) -> Cmd {
        let mut with_source = redis::cmd(self.by_source());
        with_source.arg(self.source);
        for arg in command.args_iter().skip(2) {
            match arg {
                Arg::Simple(bytes) => with_source.arg(bytes),
                other => unreachable!("no step has an argument {other:?}"),
            };
        }
        with_source
    }
}

/// One command, or one call of a script by its name.
#[derive(Debug)]
pub(super) struct Step {
    script: Option<&'static Script>,
    pub(super) command: Cmd,
}

impl Step {
    pub(super) fn command(name: &str) -> Self {
        Self {
            script: None,
            command: redis::cmd(name),
        }
    }

    /// [`Step::command`] with room for so many arguments and their bytes.
    pub(super) fn command_of(name: &str, args: usize, bytes: usize) -> Self {
        let mut command = Cmd::with_capacity(1 + args, name.len() + bytes);
        command.arg(name);
        Self {
            script: None,
            command,
        }
    }

    pub(super) fn script(script: &'static Script, keys: &[String]) -> Self {
        let mut command = redis::cmd(script.by_name());
        command.arg(&script.sha).arg(keys.len()).arg(keys);
        Self {
            script: Some(script),
            command,
        }
    }

    pub(super) fn arg(mut self, arg: impl ToRedisArgs) -> Self {
        self.command.arg(arg);
        self
    }
}

/// Steps that are sent in one go.
pub(super) struct Bundle {
    scripts: Vec<Option<&'static Script>>,
    pub(super) pipeline: Pipeline,
}

impl Bundle {
    pub(super) fn new(steps: Vec<Step>) -> Self {
        let mut pipeline = Pipeline::with_capacity(steps.len());
        let mut scripts = Vec::with_capacity(steps.len());
        for step in steps {
            scripts.push(step.script);
            pipeline.add_command(step.command);
        }
        Self { scripts, pipeline }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Cmd, Option<&'static Script>)> {
        self.pipeline.cmd_iter().zip(self.scripts.iter().copied())
    }

    /// The scripts that the server does not know, by their places, and calls that bring their
    /// source.
    pub(super) fn again(&self, answers: &[Result<Value, Fault>]) -> (Vec<usize>, Self) {
        let unknown = self.iter().zip(answers).enumerate();
        let unknown = unknown.filter_map(|(place, ((command, script), answer))| {
            let fault = answer.as_ref().err()?;
            let script = script.filter(|_| fault.is_no_script())?;
            let command = script.with_source(command);
            let script = Some(script);
            Some((place, Step { script, command }))
        });
        let (places, steps) = unknown.unzip();
        (places, Self::new(steps))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;
    use crate::broker::redis::config::RedisConfig;
    use crate::broker::redis::fault::judge;

    static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new("x", "#!lua\nreturn 1\n"));

    fn args(command: &Cmd) -> Vec<Vec<u8>> {
        let simple = command.args_iter().map(|arg| match arg {
            Arg::Simple(bytes) => bytes.to_vec(),
            other => panic!("{other:?}"),
        });
        simple.collect()
    }

    #[test]
    fn a_script_that_is_not_known_is_sent_again_with_its_source_keys_and_arguments() {
        let call = |arg: &str| Step::script(&SCRIPT, &["key".to_owned()]).arg(arg);
        let bundle = Bundle::new(vec![call("a"), Step::command("GET").arg("key"), call("b")]);
        let config = RedisConfig::parse("redis://h", None).unwrap();
        // Nobody says this of a command; if one did, there is no source to send.
        let answers = ["+OK\r\n", "-NOSCRIPT x\r\n", "-NOSCRIPT x\r\n"];
        let answers = bundle.iter().zip(answers).map(|((command, script), wire)| {
            let value = redis::parse_redis_value(wire.as_bytes()).unwrap();
            judge(value, command, script, &config)
        });
        let (places, again) = bundle.again(&answers.collect::<Vec<_>>());
        let again: Vec<_> = again.iter().map(|(command, _)| args(command)).collect();
        let expected = ["EVAL", SCRIPT.source, "1", "key", "b"];
        assert_eq!(places, [2]);
        assert_eq!(again, [expected.map(|arg| arg.as_bytes().to_vec())]);
    }

    #[test]
    fn a_script_that_only_reads_is_called_so() {
        let reads: &str = "#!lua flags=no-writes\nreturn 1\n";
        for (source, calls) in [
            (SCRIPT.source, ("EVALSHA", "EVAL")),
            (reads, ("EVALSHA_RO", "EVAL_RO")),
        ] {
            let script = Script::new("x", source);
            assert_eq!((script.by_name(), script.by_source()), calls);
        }
    }
}
