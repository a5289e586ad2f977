namespace OciTool.Cli.Views;

/// <summary>A repository that <c>search</c> found, or one of its tags.</summary>
internal sealed record SearchResult
{
    /// <summary>The registry.</summary>
    public string Index { get; init; } = "";

    /// <summary>The repository with its registry.</summary>
    public string Name { get; init; } = "";

    /// <summary>What its owner says of it, in one line.</summary>
    public string Description { get; init; } = "";

    /// <summary>How many people like it.</summary>
    public long Stars { get; init; }

    /// <summary><c>[OK]</c> when the registry's operator answers for it.</summary>
    public string Official { get; init; } = "";

    /// <summary><c>[OK]</c> when its images are built by the registry.</summary>
    public string Automated { get; init; } = "";

    /// <summary>A tag, where tags are listed.</summary>
    public string Tag { get; init; } = "";
}

/// <summary>The tags of a repository.</summary>
internal sealed record TagList
{
    /// <summary>The repository with its registry.</summary>
    public string Name { get; init; } = "";

    /// <summary>Its tags in the registry's order.</summary>
    public string[] Tags { get; init; } = [];
}
