// Settings of NCCL's own that this transport wants.
#pragma once

namespace hawser::plugin {

// Puts NCCL_P2P_NET_CHUNKSIZE into the environment, unless the user has it there or said no
// (HAWSER_NCCL_TUNING=off). NCCL reads it after the plugin's first init, once per process; all
// ranks must have the same, and do, since all use this plugin. Not while other threads read the
// environment: NCCL itself does so behind init only.
void tune_nccl();

}  // namespace hawser::plugin
