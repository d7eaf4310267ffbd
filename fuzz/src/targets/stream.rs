//! What a client sends on its stream: the decoder of its frames, and the session that answers them.
//!
//! The first byte says in which pieces the others come. A session that gets them at once must hear the same, answer the
//! same, and end for the same reason.

use std::cell::OnceCell;
use std::sync::Arc;

use parking_lot::Mutex;
use shardcast::api::stream::{ClientFrame, FrameRate, Inbox, Opcode, Session, SessionLimits};
use shardcast::hub::{EndReason, Hub, HubConfig, MessageId, Stream, UserId};
use tokio::runtime::{Builder, Runtime};

use super::memory_socket::{MemorySocket, server_frames};

/// As large as the session allows; small, so that the fuzzer finds what is above it.
const MAX_FRAME_BYTES: usize = 64;

/// What came of a session.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    heard: Vec<ClientFrame>,
    acknowledged: Vec<MessageId>,
    answered: Vec<u8>,
    reason: EndReason,
}

/// Notes what it hears.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<(Vec<ClientFrame>, Vec<MessageId>)>>);

impl Inbox for Notes {
    fn on_data(&mut self, frame: ClientFrame, _: &mut Stream) -> Result<(), EndReason> {
        self.0.lock().0.push(frame);
        Ok(())
    }

    fn on_acknowledged(&mut self, id: MessageId) {
        self.0.lock().1.push(id);
    }
}

struct World {
    runtime: Runtime,
    hub: Hub,
}

thread_local! {
    static WORLD: OnceCell<World> = const { OnceCell::new() };
}

/// See the documentation of this file.
pub(crate) fn run(data: &[u8]) {
    let Some((&pattern, bytes)) = data.split_first() else { return };
    WORLD.with(|world| {
        let world = world.get_or_init(|| {
            let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
            let runtime = runtime.expect("a runtime can be made");
            let hub = runtime.block_on(async { Hub::new(HubConfig::default()) });
            World { runtime, hub }
        });
        let early = bytes.len().min(usize::from(pattern & 0x0f));
        let step = usize::from(pattern >> 4) + 1;
        let at_once = world.outcome(&[], vec![bytes.to_vec()]);
        let in_pieces =
            world.outcome(&bytes[..early], bytes[early..].chunks(step).map(<[u8]>::to_vec).collect());
        assert_eq!(in_pieces, at_once);
        check(&at_once);
    });
}

fn check(outcome: &Outcome) {
    for frame in &outcome.heard {
        assert!(frame.payload.len() <= MAX_FRAME_BYTES, "too large: {frame:?}");
        assert!(matches!(frame.opcode, Opcode::Text | Opcode::Binary | Opcode::Continuation), "{frame:?}");
    }
    let frames = server_frames(&outcome.answered);
    for (place, frame) in frames.iter().enumerate() {
        let is_last = place + 1 == frames.len();
        assert!(matches!(frame.opcode, 0x8 | 0xA), "no message was published: {frame:?}");
        assert!(frame.opcode != 0x8 || is_last, "a frame after the close frame");
        assert!(frame.payload.len() <= 125, "too large: {frame:?}");
    }
}

impl World {
    /// Runs a session to its end. `early` came with the handshake.
    fn outcome(&self, early: &[u8], pieces: Vec<Vec<u8>>) -> Outcome {
        self.runtime.block_on(async {
            let socket = MemorySocket::sending(pieces);
            let mut registration = self.hub.register(UserId(1), "token", None).expect("the hub is open");
            registration.ask_for_ids_in_pings();
            let mut limits = SessionLimits::default();
            limits.max_frame_bytes = MAX_FRAME_BYTES;
            limits.frame_rate = FrameRate::UNLIMITED;
            let notes = Notes::default();
            let stream = registration.attach(socket.clone());
            let reason = Session::new(stream, notes.clone(), Arc::new(limits), early).await;
            let (heard, acknowledged) = std::mem::take(&mut *notes.0.lock());
            Outcome { heard, acknowledged, answered: socket.written(), reason }
        })
    }
}
