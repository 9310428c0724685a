//! `jobq completions` and `jobq man`, which need no server.

use support::Folder;

use crate::fixture::{program, run};

async fn jobq(args: &[&str]) -> String {
    let mut command = program();
    command.args(args);
    run(command).await.ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_completions_for_the_common_shells() {
    for (shell, word) in [
        ("bash", "complete -F _jobq"),
        ("zsh", "#compdef jobq"),
        ("fish", "complete -c jobq"),
        ("elvish", "edit:completion"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let script = jobq(&["completions", shell]).await;
        assert!(script.contains(word), "{shell}");
        assert!(
            script.contains("analyze") && script.contains("read-only"),
            "{shell}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bash_can_read_its_completions() {
    let folder = Folder::new();
    let script = folder.write("jobq.bash", &jobq(&["completions", "bash"]).await);
    let mut bash = std::process::Command::new("bash");
    bash.arg("-n").arg(script);
    run(bash).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_a_man_page_for_each_command() {
    let page = jobq(&["man"]).await;
    assert!(page.contains(".TH jobq 1") && page.contains("EXIT") | page.contains("Exit codes"));
    let folder = Folder::new();
    let path = folder.path().to_str().unwrap();
    jobq(&["man", "--dir", path]).await;
    for name in [
        "jobq",
        "jobq-stats",
        "jobq-dead-analyze",
        "jobq-workers-stop",
        "jobq-enqueue",
    ] {
        let page = std::fs::read_to_string(folder.path().join(format!("{name}.1"))).unwrap();
        assert!(page.contains(".SH NAME"), "{name}");
    }
    let mut command = program();
    command.args(["man", "--dir", "/nowhere/at/all"]);
    run(command).await.failed(78, "/nowhere/at/all");
}
