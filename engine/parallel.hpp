#pragma once
// Work that threads claim piece by piece.
#include <omp.h>
#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

namespace urja {

// The thread sanitizer does not see libgomp make threads start and wait, so it is told: what came before told_to_come_before()
// of a mark comes before what follows told_to_come_after() of that mark.
#ifdef __SANITIZE_THREAD__
#define URJA_UNWATCHED [[gnu::no_sanitize_thread]]
inline void told_to_come_before(char& mark) { __tsan_release(&mark); }
inline void told_to_come_after(char& mark) { __tsan_acquire(&mark); }
#else
#define URJA_UNWATCHED
inline void told_to_come_before(char&) {}
inline void told_to_come_after(char&) {}
#endif

// work(k, thread) for all of [0, count), claimed `chunk` at a time: what a slow core leaves, the other takes. `work` throws nothing.
// There are two marks because with one a piece that begins would seem to come after those that have ended, and races between them
// would go unseen. The loop itself is unwatched, since OpenMP's hidden record of its arguments is written after the mark; work()
// is watched.
template <class Work> URJA_UNWATCHED void in_parallel(int count, int threads, int chunk, const Work& work) {
  char begun = 0, ended = 0;
  told_to_come_before(begun);
#pragma omp parallel for num_threads(threads) schedule(dynamic, chunk)
  for (int k = 0; k < count; ++k) {
    told_to_come_after(begun);
    work(k, omp_get_thread_num());
    told_to_come_before(ended);
  }
  told_to_come_after(ended);
}

}  // namespace urja
