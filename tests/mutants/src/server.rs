//! The server that is asked whether a mutant is a script.

use std::env::var_os;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use redis::{Client, Connection, RedisResult};

/// Ends the server when its input ends: with the process that started it, however that ends.
const UNTIL_END_OF_INPUT: &str = r#"trap '' INT TERM HUP; "$@" & read -r _; kill -9 $!"#;

const START_WITHIN: Duration = Duration::from_secs(30);

/// A Redis server on a socket in a folder of its own, ended when this is dropped.
#[derive(Debug)]
pub struct Server {
    process: Child,
    folder: PathBuf,
}

impl Server {
    /// Starts `REDIS_SERVER`, or the one on the `PATH`.
    ///
    /// # Panics
    ///
    /// When it does not answer in time.
    #[must_use]
    pub fn start() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("jobq-mutants-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).expect("there is room for temporary files");
        let program = var_os("REDIS_SERVER").unwrap_or_else(|| "redis-server".into());
        let process = Command::new("sh")
            .args(["-c", UNTIL_END_OF_INPUT, "sh"])
            .arg(program)
            .args(["--port", "0", "--save", "", "--unixsocket", "socket"])
            .arg("--dir")
            .arg(&folder)
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("there is a shell");
        let server = Self { process, folder };
        let deadline = Instant::now() + START_WITHIN;
        while let Err(error) = server.connection() {
            assert!(
                Instant::now() < deadline,
                "redis-server does not answer: {error}"
            );
            sleep(Duration::from_millis(5));
        }
        server
    }

    fn connection(&self) -> RedisResult<Connection> {
        let socket = self.folder.join("socket");
        Client::open(format!("redis+unix://{}", socket.display()))?.get_connection()
    }

    /// Whether the text is a script; the error is what the server says of it.
    ///
    /// # Errors
    ///
    /// When the server cannot read it.
    ///
    /// # Panics
    ///
    /// When the server is gone.
    pub fn load(&self, text: &str) -> Result<(), String> {
        let mut connection = self.connection().expect("the server runs until the drop");
        let loaded = redis::cmd("SCRIPT")
            .arg("LOAD")
            .arg(text)
            .exec(&mut connection);
        loaded.map_err(|error| error.to_string())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // An error means that it has ended already.
        drop(self.process.stdin.take());
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
