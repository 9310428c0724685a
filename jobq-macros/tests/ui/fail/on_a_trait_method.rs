use jobq::job;

trait Send {
    #[job]
    async fn send();
}

fn main() {}
