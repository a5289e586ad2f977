namespace OciTool.Cli.Commands;

/// <summary>Makes up names for containers whose user gave none.</summary>
internal static class ContainerNames
{
    private static readonly string[] Adjectives =
    [
        "able", "brave", "calm", "clever", "cool", "daring", "eager", "fair", "fast", "fine", "fond", "free", "gentle", "glad",
        "good", "grand", "happy", "hardy", "jolly", "keen", "kind", "light", "lively", "loyal", "lucky", "merry", "mild", "neat",
        "nice", "noble", "patient", "plain", "polite", "proud", "quick", "quiet", "ready", "sharp", "silent", "smart", "solid",
        "sound", "steady", "still", "strong", "sunny", "sure", "swift", "tidy", "true", "warm", "wise", "witty", "young",
    ];

    private static readonly string[] Nouns =
    [
        "anchor", "barge", "beacon", "bell", "boat", "bollard", "bow", "buoy", "cargo", "chart", "compass", "crane", "crate",
        "deck", "dinghy", "dock", "ferry", "fleet", "gangway", "harbour", "hatch", "helm", "hold", "hook", "hull", "jetty",
        "keel", "ketch", "lantern", "locker", "log", "mast", "mooring", "oar", "pier", "pilot", "port", "prow", "quay", "raft",
        "rigging", "rope", "rudder", "sail", "sextant", "shore", "spar", "stern", "tide", "tiller", "tug", "wharf", "winch",
        "yawl",
    ];

    /// <summary>A name out of an ID: two words, and digits of the ID, so that it is taken once only.</summary>
    /// <param name="id">The container's ID.</param>
    public static string Make(string id)
    {
        int adjective = Convert.ToInt32(id[..4], 16) % Adjectives.Length;
        int noun = Convert.ToInt32(id[4..8], 16) % Nouns.Length;
        return $"{Adjectives[adjective]}_{Nouns[noun]}_{id[8..12]}";
    }
}
