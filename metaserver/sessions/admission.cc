#include "metaserver/sessions/admission.h"

#include <algorithm>
#include <utility>

#include "metaserver/store/scan_rows.h"
#include "rpc/chunk_token.h"

namespace cairn {
namespace {

Result<std::shared_ptr<const Admission>> LoadAdmission(const ReadView& view) {
  auto admission = std::make_shared<Admission>();
  ASSIGN_OR_RETURN(const v1::StateRecord state, LoadState(view));
  admission->last_fence = state.next_fence();
  ASSIGN_OR_RETURN(const auto keys, LoadRow<v1::TokenKeysRecord>(view, schema::TokenKeysKey()));
  if (keys) admission->keys.assign(keys->keys().begin(), keys->keys().end());
  RETURN_IF_ERROR(ScanRows<v1::Fence>(view, schema::kFencePrefix, schema::kFencePrefix,
                                      [&](std::string_view, v1::Fence fence) {
                                        admission->fences.push_back(std::move(fence));
                                        return true;
                                      }));
  return admission;
}

}  // namespace

const v1::TokenKey* Admission::SealingKey(const WallTime& now) const {
  const int64_t spread = std::chrono::duration_cast<std::chrono::seconds>(kTokenKeySpread).count();
  const auto known = std::find_if(keys.rbegin(), keys.rend(), [&](const v1::TokenKey& key) {
    return now.seconds - key.made().seconds() > spread;
  });
  if (known != keys.rend()) return &*known;
  return keys.empty() ? nullptr : &keys.back();
}

const v1::TokenKey* Admission::FindKey(uint32_t id) const {
  const auto found = std::find_if(keys.begin(), keys.end(),
                                  [&](const v1::TokenKey& key) { return key.id() == id; });
  return found == keys.end() ? nullptr : &*found;
}

void Admission::Tell(const v1::HeartbeatRequest& request, v1::HeartbeatResponse& response) const {
  response.set_last_fence(last_fence);
  // Whoever knows more is not from this history: it gets everything.
  const uint64_t known = request.fences_known() > last_fence ? 0 : request.fences_known();
  const auto first =
      std::upper_bound(fences.begin(), fences.end(), known,
                       [](uint64_t after, const v1::Fence& f) { return after < f.sequence(); });
  for (auto fence = first; fence != fences.end(); ++fence) {
    if (response.fences_size() >= kMostFencesAtOnce) break;
    *response.add_fences() = *fence;
  }
  if (keys.empty() || keys.back().id() == request.token_key_known()) return;
  for (const v1::TokenKey& key : keys) *response.add_token_keys() = key;
}

Result<std::shared_ptr<const Admission>> AdmissionCache::Get() {
  absl::MutexLock lock(&mu_);
  const uint64_t wanted = changes_.load();
  if (wanted % 2 == 1) return LoadAdmission(*state_.View());
  if (loaded_ != wanted) {
    ASSIGN_OR_RETURN(admission_, LoadAdmission(*state_.View()));
    loaded_ = wanted;
  }
  return admission_;
}

}  // namespace cairn
