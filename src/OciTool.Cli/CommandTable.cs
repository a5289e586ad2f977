using OciTool.Cli.Commands;
using OciTool.Cli.ContainerRuntime;
using OciTool.Images;
using OciTool.Storage;

namespace OciTool.Cli;

/// <summary>The verbs by name. A verb is built only when the command line names it: each symbol costs start-up time.</summary>
internal static class CommandTable
{
    /// <summary>The verbs of an OCI runtime, as <c>oci runtime</c> and by themselves as <c>oci-runtime</c>.</summary>
    public static readonly CommandGroup Runtime = new(RuntimeProgram.GroupName, "Run bundles as an OCI runtime, on behalf of an engine", [
        new VerbEntry("create", () => new CreateVerb()),
        new VerbEntry("delete", () => new DeleteVerb()),
        new VerbEntry("events", () => new EventsVerb()),
        new VerbEntry("exec", () => new ExecVerb()),
        new VerbEntry("features", () => new FeaturesVerb()),
        new VerbEntry("kill", () => new KillVerb()),
        new VerbEntry("list", () => new ListVerb()),
        new VerbEntry("pause", () => new PauseVerb()),
        new VerbEntry("ps", () => new RuntimePsVerb()),
        new VerbEntry("resume", () => new ResumeVerb()),
        new VerbEntry("run", () => new RunVerb()),
        new VerbEntry("spec", () => new SpecVerb()),
        new VerbEntry("start", () => new StartVerb()),
        new VerbEntry("state", () => new StateVerb()),
        new VerbEntry("update", () => new UpdateVerb()),
    ]);

    /// <summary>The root of the tree: every verb and group of <c>oci</c>.</summary>
    public static readonly CommandGroup Root = new("oci", "Pull, inspect and run OCI images and containers", [
        new VerbEntry("commit", () => new CommitCommand()),
        new VerbEntry("compat", () => new CompatCommand()),
        new VerbEntry("completion", () => new CompletionCommand()),
        new CommandGroup("container", "Manage containers", [
            new VerbEntry("commit", () => new CommitCommand()),
            new VerbEntry("create", () => new CreateCommand()),
            new VerbEntry("diff", () => new DiffCommand("container")),
            new VerbEntry("exists", () => new ContainerExistsCommand()),
            new VerbEntry("export", () => new ExportCommand()),
            new VerbEntry("inspect", () => new InspectCommand("container")),
            new VerbEntry("list", () => new PsCommand("list")) { Aliases = ["ls", "ps"] },
            new VerbEntry("prune", () => new ContainerPruneCommand()),
            new VerbEntry("rm", () => new RmCommand()),
            new VerbEntry("run", () => new RunCommand()),
            new VerbEntry("start", () => new StartCommand()),
        ]),
        new VerbEntry("copy", () => new CopyCommand()),
        new VerbEntry("create", () => new CreateCommand()),
        new VerbEntry("diff", () => new DiffCommand()),
        new VerbEntry("export", () => new ExportCommand()),
        new VerbEntry("help", () => new HelpCommand()),
        new VerbEntry("history", () => new HistoryCommand()),
        new CommandGroup("image", "Manage images", [
            new VerbEntry("diff", () => new DiffCommand("image")),
            new VerbEntry("exists", () => new ImageExistsCommand()),
            new VerbEntry("history", () => new HistoryCommand()),
            new VerbEntry("import", () => new ImportCommand()),
            new VerbEntry("inspect", () => new InspectCommand("image")),
            new VerbEntry("list", () => new ImagesCommand("list")) { Aliases = ["ls"] },
            new VerbEntry("load", () => new LoadCommand()),
            new VerbEntry("mount", () => new ImageMountCommand()),
            new VerbEntry("prune", () => new ImagePruneCommand()),
            new VerbEntry("pull", () => new PullCommand()),
            new VerbEntry("push", () => new PushCommand()),
            new VerbEntry("rm", () => new RmiCommand("rm")) { Aliases = ["remove"] },
            new VerbEntry("save", () => new SaveCommand()),
            new VerbEntry("search", () => new SearchCommand()),
            new VerbEntry("tag", () => new TagCommand()),
            new VerbEntry("tree", () => new ImageTreeCommand()),
            new VerbEntry("unmount", () => new ImageUnmountCommand()) { Aliases = ["umount"] },
            new VerbEntry("untag", () => new UntagCommand()),
        ]),
        new VerbEntry("images", () => new ImagesCommand()),
        new VerbEntry("import", () => new ImportCommand()),
        new VerbEntry("info", () => new InfoCommand()),
        new VerbEntry("inspect", () => new InspectCommand()),
        new VerbEntry("load", () => new LoadCommand()),
        new VerbEntry("login", () => new LoginCommand()),
        new VerbEntry("logout", () => new LogoutCommand()),
        new CommandGroup("manifest", "Make and look at manifest lists and image indexes", [
            new VerbEntry("add", () => new ManifestAddCommand()),
            new VerbEntry("annotate", () => new ManifestAnnotateCommand()),
            new VerbEntry("create", () => new ManifestCreateCommand()),
            new VerbEntry("exists", () => new ManifestExistsCommand()),
            new VerbEntry("inspect", () => new ManifestInspectCommand()),
            new VerbEntry("push", () => new PushCommand(ofList: true)),
            new VerbEntry("remove", () => new ManifestRemoveCommand()),
            new VerbEntry("rm", () => new ManifestRmCommand()),
        ]),
        new VerbEntry("ps", () => new PsCommand()),
        new VerbEntry("pull", () => new PullCommand()),
        new VerbEntry("push", () => new PushCommand()),
        new VerbEntry("referrers", () => new ReferrersCommand()),
        new VerbEntry("rm", () => new RmCommand()),
        new VerbEntry("rmi", () => new RmiCommand()),
        new VerbEntry("run", () => new RunCommand()),
        Runtime,
        new VerbEntry("save", () => new SaveCommand()),
        new VerbEntry("search", () => new SearchCommand()),
        new VerbEntry("start", () => new StartCommand()),
        new CommandGroup("system", "Manage the store", [
            new VerbEntry("check", () => new SystemCheckCommand()),
            new VerbEntry("df", () => new SystemDfCommand()),
            new VerbEntry("prune", () => new SystemPruneCommand()),
            new VerbEntry("reset", () => new SystemResetCommand()),
        ]),
        new VerbEntry("tag", () => new TagCommand()),
        new VerbEntry("tags", () => new TagsCommand()),
        new VerbEntry("untag", () => new UntagCommand()),
        new VerbEntry("verify", () => new VerifyCommand()),
        new VerbEntry("version", () => new VersionCommand()),
        new VerbEntry("__complete", () => new CompleteCommand("__complete", Names)) { IsInternal = true },
        new VerbEntry("__completeNoDesc", () => new CompleteCommand("__completeNoDesc", Names)) { IsInternal = true },
        new VerbEntry("__man", () => new ManCommand()) { IsInternal = true },
    ]);

    // the names that completion offers
    private static IEnumerable<string> Names(OperandKind kind, GlobalOptions global)
    {
        StorageRoot root = global.OpenStore();
        ImageStore images = new(root);
        if (kind is OperandKind.Image or OperandKind.Object)
        {
            foreach (ImageSummary image in images.List())
            {
                foreach (string name in image.Names)
                {
                    yield return name;
                }
            }
        }

        if (kind is OperandKind.Container or OperandKind.Object)
        {
            foreach (ContainerRecord container in new ContainerStore(root, images).List())
            {
                yield return container.Name;
            }
        }
    }
}

/// <summary>A name of the command line: a verb or a group of them.</summary>
/// <param name="Name">The word.</param>
internal abstract record CommandEntry(string Name)
{
    /// <summary>Other words for the same.</summary>
    public IReadOnlyList<string> Aliases { get; init; } = [];

    /// <summary>Whether help and completion leave it out.</summary>
    public bool IsInternal { get; init; }

    /// <summary>Whether a word of the command line means this.</summary>
    /// <param name="word">The word.</param>
    public bool Answers(string word) => Name == word || Aliases.Contains(word);
}

/// <summary>A verb and how it is built.</summary>
/// <param name="Name">The word.</param>
/// <param name="Create">Builds it, without its path.</param>
internal sealed record VerbEntry(string Name, Func<Verb> Create) : CommandEntry(Name)
{
    /// <summary>Builds the verb and tells it the words that lead to it.</summary>
    /// <param name="parent">The words before its own.</param>
    public Verb Build(string parent)
    {
        Verb verb = Create();
        verb.Path = $"{parent} {Name}";
        return verb;
    }
}

/// <summary>A group of verbs, such as <c>image</c>.</summary>
/// <param name="Name">The word.</param>
/// <param name="Summary">One line for lists, without a full stop.</param>
/// <param name="Entries">Its verbs and groups, sorted by name.</param>
internal sealed record CommandGroup(string Name, string Summary, IReadOnlyList<CommandEntry> Entries) : CommandEntry(Name)
{
    /// <summary>The entry that a word means; null for none.</summary>
    /// <param name="word">The word.</param>
    public CommandEntry? Find(string word)
    {
        foreach (CommandEntry entry in Entries)
        {
            if (entry.Answers(word))
            {
                return entry;
            }
        }

        return null;
    }

    /// <summary>The names that are close to a mistyped one.</summary>
    /// <param name="word">What was typed.</param>
    public IReadOnlyList<string> Similar(string word)
    {
        List<string> similar = [];
        foreach (CommandEntry entry in Entries)
        {
            if (!entry.IsInternal
                && (Distance(entry.Name, word) <= 2 || entry.Name.StartsWith(word, StringComparison.OrdinalIgnoreCase)))
            {
                similar.Add(entry.Name);
            }
        }

        return similar;
    }

    /// <summary>The failure of a word that no entry answers to.</summary>
    /// <param name="path">The words before it.</param>
    /// <param name="word">The word.</param>
    public UsageException Unrecognized(string path, string word)
    {
        IReadOnlyList<string> similar = Similar(word);
        string guesses = similar.Count == 0 ? "" : $"\n\nDid you mean this?\n\t{string.Join("\n\t", similar)}\n";
        return new UsageException($"unrecognized command `{path} {Printable.Escape(word)}`{guesses}")
        {
            Advice = $"Try '{path} --help' for more information",
        };
    }

    // Levenshtein's distance, one row at a time
    private static int Distance(string a, string b)
    {
        if (b.Length > a.Length + 2)
        {
            return int.MaxValue;
        }

        int[] row = new int[b.Length + 1];
        for (int j = 0; j <= b.Length; j++)
        {
            row[j] = j;
        }

        foreach (char c in a)
        {
            int diagonal = row[0]++;
            for (int j = 1; j <= b.Length; j++)
            {
                int substituted = diagonal + (char.ToLowerInvariant(c) == char.ToLowerInvariant(b[j - 1]) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substituted, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[b.Length];
    }
}
