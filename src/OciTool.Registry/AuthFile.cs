using OciTool.Images;

namespace OciTool.Registry;

/// <summary>Changes a file as a whole, so that others see it before or after, and no change of theirs is lost.</summary>
/// <param name="path">The file.</param>
/// <param name="edit">Makes the new content of the present one, which is null where there is no file; null leaves it as it is.</param>
public delegate void EditFile(string path, Func<byte[]?, byte[]?> edit);

/// <summary>The auth file that logging in and out changes.</summary>
/// <remarks>
/// containers-auth.json(5); docker's config.json. Where the file names a helper for a registry, the helper keeps the
/// credentials.
/// </remarks>
public sealed class AuthFile
{
    private readonly RegistryOptions _options;
    private readonly TimeProvider _time;
    private readonly bool _isDockers;

    private AuthFile(string path, bool isDockers, RegistryOptions options, TimeProvider time) =>
        (Path, _isDockers, _options, _time) = (path, isDockers, options, time);

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Chooses the file: one that is named, else the user's own, which survives a restart of the machine.</summary>
    /// <param name="options">Names podman's file, or the environment does.</param>
    /// <param name="compatAuthFile">Names docker's file; null for none.</param>
    /// <param name="time">The clock that helpers are timed by.</param>
    /// <exception cref="OciException">Two files are named, or there is no home.</exception>
    public static AuthFile Choose(RegistryOptions options, string? compatAuthFile, TimeProvider time)
    {
        if (compatAuthFile is not null)
        {
            return options.AuthFile is null
                ? new AuthFile(compatAuthFile, isDockers: true, options, time)
                : throw new OciException("options --authfile and --compat-auth-file cannot be used together");
        }

        AuthFiles files = new(options, time, _ => { });
        return new AuthFile(files.Named ?? files.OfUser, isDockers: false, options, time);
    }

    /// <summary>Keeps credentials.</summary>
    /// <param name="key">What they are for.</param>
    /// <param name="credentials">The credentials, verified.</param>
    /// <param name="edit">Changes the file.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Where they are kept: the file, or a helper.</returns>
    /// <exception cref="OciException">The file is broken, or the helper failed; nothing was changed.</exception>
    public async Task<string> StoreAsync(RegistryEndpoint key, Credentials credentials, EditFile edit, CancellationToken cancellationToken)
    {
        RequireFits(key);
        AuthFileEditor present = Present(edit);
        if ((present.HelperOf(key.Name) ?? present.Store) is { } helper)
        {
            RequireHelperKey(key, helper);
            string server = present.HelperOf(key.Name) is null ? AuthFiles.Server(key) : key.Name;
            await CredentialHelper.StoreAsync(helper, server, credentials, SearchPath, _time, cancellationToken);
            if (present.HelperOf(key.Name) is null)
            {
                Edit(edit, file => file.Set(server, credentials: null)); // docker's way to note what the store has
            }

            return $"credential helper: {helper}";
        }

        Edit(edit, file => file.Set(FileKey(key), credentials));
        return Path;
    }

    /// <summary>Forgets credentials.</summary>
    /// <param name="key">What they are for.</param>
    /// <param name="edit">Changes the file.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Whether there were any here.</returns>
    /// <exception cref="OciException">The file is broken, or the helper failed.</exception>
    public async Task<bool> RemoveAsync(RegistryEndpoint key, EditFile edit, CancellationToken cancellationToken)
    {
        AuthFileEditor present = Present(edit);
        bool found = false;
        if ((present.HelperOf(key.Name) ?? present.Store) is { } helper && key.Repository.Length == 0)
        {
            string server = present.HelperOf(key.Name) is null ? AuthFiles.Server(key) : key.Name;
            found = await CredentialHelper.GetAsync(helper, server, SearchPath, _time, cancellationToken) is not null;
            if (found)
            {
                await CredentialHelper.EraseAsync(helper, server, SearchPath, _time, cancellationToken);
            }
        }

        Edit(edit, file => found |= file.Remove(key.Name));
        return found;
    }

    /// <summary>Forgets all credentials that the file has or names a helper for.</summary>
    /// <param name="edit">Changes the file.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="OciException">The file is broken, or a helper failed.</exception>
    public async Task RemoveAllAsync(EditFile edit, CancellationToken cancellationToken)
    {
        AuthFileEditor present = Present(edit);
        IEnumerable<(string Key, string Helper)> stored = present.Store is { } store ? present.Keys.Select(key => (key, store)) : [];
        foreach ((string key, string helper) in present.HelperKeys.Concat(stored))
        {
            if (await CredentialHelper.GetAsync(helper, key, SearchPath, _time, cancellationToken) is not null)
            {
                await CredentialHelper.EraseAsync(helper, key, SearchPath, _time, cancellationToken);
            }
        }

        Edit(edit, file => file.Clear());
    }

    private string? SearchPath => _options.Environment("PATH");

    // docker looks for its own registry under the name of an API that is gone
    private string FileKey(RegistryEndpoint key) => _isDockers ? AuthFiles.Server(key) : key.Name;

    private void RequireFits(RegistryEndpoint key)
    {
        if (_isDockers && key.Repository.Length > 0)
        {
            throw new OciException($"cannot log into {key.Name}: docker's files have one entry for each registry, not for repositories");
        }
    }

    private void RequireHelperKey(RegistryEndpoint key, string helper)
    {
        if (key.Repository.Length > 0)
        {
            throw new OciException($"cannot log into {key.Name}: the credential helper {helper}, which {Path} names, keeps whole registries only");
        }
    }

    private AuthFileEditor Present(EditFile edit)
    {
        AuthFileEditor? present = null;
        edit(Path, content =>
        {
            present = AuthFileEditor.Parse(Path, content);
            return null;
        });
        return present!;
    }

    private void Edit(EditFile edit, Action<AuthFileEditor> change) => edit(Path, content =>
    {
        AuthFileEditor file = AuthFileEditor.Parse(Path, content);
        byte[] before = file.ToBytes();
        change(file);
        byte[] after = file.ToBytes();
        return content is null || !before.AsSpan().SequenceEqual(after) ? after : null;
    });
}
