use jobq::job;

struct Context;

#[job]
async fn draw(ctx: Context) {
    drop(ctx);
}

fn main() {}
