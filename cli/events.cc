#include "cli/admin_client.h"
#include "cli/interruption.h"
#include "cli/quantities.h"
#include "cli/verb.h"
#include "client/backoff.h"

namespace cairn {

namespace {
constexpr Duration kFollowTime = std::chrono::seconds(1);

struct EventsOptions {
  ClusterOptions cluster;
  bool follow = false;
  int limit = 0;  // 0: all that are kept
};

Colour SeverityColour(const std::string& severity) {
  if (severity == "error") return Colour::kBad;
  return severity == "warning" ? Colour::kWarning : Colour::kNone;
}

std::vector<std::string> EventCells(const v1::EventRecord& event) {
  return {LocalTime(event.time().seconds()), event.severity(), event.code(), event.subject(),
          event.text()};
}

// More may come: columns are as wide as they usually are.
void PrintAsLines(const v1::ListEventsResponse& events, bool json, const Console& console) {
  for (const v1::EventRecord& event : events.events()) {
    const std::vector<std::string> cells = EventCells(event);
    const std::string line = fmt::format("{}  {:<8}  {:<18}  {:<16}  {}", cells[0], cells[1],
                                         cells[2], cells[3], cells[4]);
    console.out << (json ? ToJson(event) : Paint(console, SeverityColour(event.severity()), line))
                << "\n";
  }
  console.out << std::flush;
}

void PrintAsTable(const v1::ListEventsResponse& events, const Console& console) {
  Table table({"TIME", "SEVERITY", "CODE", "SUBJECT", "WHAT"});
  for (const v1::EventRecord& event : events.events()) {
    table.Add(EventCells(event), SeverityColour(event.severity()));
  }
  table.Print(console);
}

std::string EventsJson(const v1::ListEventsResponse& events) {
  std::string list;
  for (const v1::EventRecord& event : events.events()) {
    list += (list.empty() ? "" : ",") + ToJson(event);
  }
  return "[" + list + "]";
}

// The service's own limit would leave the newest out.
Result<v1::ListEventsResponse> FetchEvents(AdminClient& client, uint64_t after, int limit) {
  v1::ListEventsRequest request;
  request.set_after(after);
  const v1::ListEventsResponse type;
  ASSIGN_OR_RETURN(const Answers answers,
                   AskBest(client, {"ListEvents", &request, &type}, Deadline::After(kSurveyTime)));
  v1::ListEventsResponse events;
  events.CopyFrom(*answers.best().answer);
  if (limit > 0 && events.events_size() > limit) {
    events.mutable_events()->DeleteSubrange(0, events.events_size() - limit);
  }
  return events;
}

// Those after `last`, which moves on.
Status ShowNewer(AdminClient& client, int limit, bool json, uint64_t& last,
                 const Console& console) {
  ASSIGN_OR_RETURN(const v1::ListEventsResponse events, FetchEvents(client, last, limit));
  PrintAsLines(events, json, console);
  if (!events.events().empty()) last = events.events().rbegin()->sequence();
  return OkStatus();
}

// Until interrupted; an outage is told once and waited for.
Result<ExitCode> Follow(AdminClient& client, const EventsOptions& options, const Console& console) {
  const Interruption interruption;
  uint64_t last = 0;
  int limit = options.limit;
  Status before;
  do {
    const Status shown = ShowNewer(client, limit, options.cluster.json, last, console);
    if (!shown.ok() && !client::IsTransient(shown.code())) return Fail(shown);
    if (!shown.ok() && before.ok()) console.err << "cairn: " << shown.message() << "; waiting\n";
    if (shown.ok()) limit = 0;
    before = shown;
    if (!console.out.good()) return ExitCode::kFailed;  // nobody reads on
  } while (!interruption.Rest(kFollowTime));
  return ExitCode::kInterrupted;
}

Result<ExitCode> ShowEvents(const EventsOptions& options, const Console& console) {
  ASSIGN_OR_RETURN(AdminClient client, OpenCluster(options.cluster));
  if (options.follow) return Follow(client, options, console);
  ASSIGN_OR_RETURN(const v1::ListEventsResponse events, FetchEvents(client, 0, options.limit));
  if (options.cluster.json) {
    console.out << EventsJson(events) << "\n";
  } else {
    PrintAsTable(events, console);
  }
  return ExitCode::kOk;
}
}  // namespace

void AddEventsVerb(CLI::App& app, Action& chosen) {
  CLI::App& verb = *app.add_subcommand("events", "What happened, oldest first");
  auto options = std::make_shared<EventsOptions>();
  AddClusterOptions(verb, options->cluster);
  verb.add_flag("--follow", options->follow, "Go on with what happens from now; Ctrl-C ends it");
  verb.add_option("--limit", options->limit, "The last so many; all that are kept unless given")
      ->check(CLI::Range(1, 1000000));
  verb.callback([&chosen, options] {
    chosen = [options](const Console& console) { return ShowEvents(*options, console); };
  });
}

}  // namespace cairn
